"""Which variables of the environment have another value."""

from __future__ import annotations

import pytest

from flakefighters.environment.variables import asked_for, noted, other_values

THEN = {"MODE": "dev", "TOKEN": "hunter2", "GITHUB_SHA": "a", "UNSET_LATER": "1"}
NOW = {"MODE": "prod", "TOKEN": "hunter2", "GITHUB_SHA": "b", "NEW": "1"}


def test_nothing_can_be_read() -> None:
    text = noted(THEN, "p")
    assert text == noted(THEN, "p")
    assert text != noted(THEN, "q")
    assert set(text) <= set("0123456789abcdef")
    assert len(text) == 3 * 12  # what is another one in each run is left out


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["MODE", "TOKEN"], ("MODE",)),
        (["NEW", "UNSET_LATER"], ("NEW", "UNSET_LATER")),
        (["GITHUB_SHA", "ABSENT"], ()),
        ([], ()),
    ],
)
def test_what_differs(names: list[str], found: tuple[str, ...]) -> None:
    assert other_values(noted(THEN, "p"), noted(NOW, "p"), "p", names) == found


def test_names_in_code() -> None:
    code = b"import os\nMODE = os.environ.get('MODE', 'dev')\nNAME = \"TO_KEN\"\nos.getenv(NAME)\n"
    assert {"MODE", "TO_KEN"} <= asked_for([code])
    assert asked_for([b"x = 'MODE'\n"]) == frozenset()
