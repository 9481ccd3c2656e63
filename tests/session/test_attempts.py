"""Which attempt at a test comes next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flakefighters.session import attempts
from flakefighters.session.attempts import Choice, Wish

NAME = "test_it.py::test_it"


def choice(strategy: str = "failed", most: int = 2, **more: Any) -> Choice:
    return Choice(Wish(strategy, most, **more), Path("/project"))


def failures(chooser: Choice, nodeid: str = NAME) -> int:
    """How many attempts a test has that always fails."""
    attempt = 1
    while chooser.after_failure(nodeid, attempt):
        attempt += 1
    return attempt


def passes(chooser: Choice, seconds: float, nodeid: str = NAME) -> int:
    """How many attempts a test has that always passes."""
    attempt = 1
    while chooser.after_pass(nodeid, attempt, seconds):
        attempt += 1
    return attempt


def test_failures() -> None:
    assert failures(choice()) == 3
    assert failures(choice(most=0)) == 1
    assert passes(choice(), 0.1) == 1


@pytest.mark.parametrize("strategy", ["flaky", "previously-flaky"])
def test_names(strategy: str) -> None:
    assert failures(choice(strategy)) == 1
    assert failures(choice(strategy, names=frozenset([NAME]))) == 3
    assert failures(choice(strategy, names=frozenset([f"{NAME}[1]"]))) == 1


def test_names_of_the_history() -> None:
    """They are relative to the base, and know nothing of pytest-xdist's groups."""
    wish = {"names": frozenset([f"sub/{NAME}"]), "base": "/project"}
    chooser = Choice(Wish("flaky", 1, groups=True, **wish), Path("/project/sub"))  # type: ignore[arg-type]
    assert failures(chooser, f"{NAME}@group") == 2


@pytest.mark.parametrize(
    ("seconds", "times"),
    [(0.0, 10), (5.0, 10), (5.1, 5), (10.1, 3), (30.1, 2), (300.0, 2), (300.1, 1)],
)
def test_new_tests_by_duration(seconds: float, times: int) -> None:
    assert passes(choice("new", most=9, names=frozenset()), seconds) == times
    assert passes(choice("new", most=1, names=frozenset()), seconds) == min(times, 2)


def test_new_tests() -> None:
    new = choice("new", most=9, names=frozenset(["test_it.py::test_old"]))
    assert passes(new, 0.1, "test_it.py::test_old[a]") == 1
    assert passes(new, 0.1, "test_it.py::test_new[a::b[0]]") == 10
    assert passes(new, 0.1, "test_it.py::test_new[c]") == 1  # its function had its share
    assert failures(new) == 1
    assert passes(choice("new", most=9), 0.1) == 1  # no run is known: then nothing is new


def test_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = choice(most=9, session=12)
    assert [failures(chooser), failures(chooser), failures(chooser)] == [10, 4, 1]
    assert (chooser.taken, chooser.refused) == (12, 2)
    slow = choice(most=9)
    slow.seconds = attempts.SECONDS
    assert failures(slow) == 1
    assert slow.refused == 1


def test_the_share_of_a_worker() -> None:
    wish = Wish("new", 9, frozenset("ab"), "/project", session=100)
    assert Wish.read(wish.plain(8)) == wish._replace(session=12)
    assert Wish.read(wish.plain(500)).session == 1
    assert Wish.read(wish._replace(names=None).plain(1)).names is None
