"""The helper that skips tests for lack of programs, and fails them in CI."""

from __future__ import annotations

import pytest

from tests import requirements


@pytest.mark.parametrize("value", [None, "", "0"])
def test_skips_for_lack_of_a_program(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    if value is None:
        monkeypatch.delenv(requirements.VARIABLE, raising=False)
    else:
        monkeypatch.setenv(requirements.VARIABLE, value)
    with pytest.raises(pytest.skip.Exception, match="no program no-such-thing here"):
        requirements.need_program("no-such-thing")


def test_fails_where_ci_promises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(requirements.VARIABLE, "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-thing"):
        requirements.need_program("no-such-thing")
    with pytest.raises(pytest.fail.Exception, match="no_such_module"):
        requirements.need_module("no_such_module")


def test_what_is_there_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(requirements.VARIABLE, "1")
    assert requirements.need_program("git").endswith("git")
    requirements.need_module("pytest")
