"""Which commits a verdict names."""

from __future__ import annotations

from typing import Any

import pytest

from flakefighters.judging import commits
from flakefighters.judging.commits import Commits
from flakefighters.model import Change, ChangeKind
from flakefighters.state.checkout import Checkout
from tests.fighters.cases import past
from tests.state.repositories import Repo

RATES = "RATE = 2\n\n\ndef tax(x):\n    return x * RATE\n"


def named(repo: Repo, since: str, unit: str | None = "RATE") -> tuple[str, ...]:
    """What is named, without the digits of the commits."""
    checkout = repo.read()
    tree = repo.git("rev-parse", f"{since}^{{tree}}") if since in repo.git("log", "--all") else ""
    old = checkout.files_of(tree) or {}
    change = Change(kind=ChangeKind.STATEMENT, path="rates.py", unit=unit)
    return tuple(
        one.partition(" ")[2] if one != "uncommitted edit" else one
        for one in Commits(checkout).of(change, past().run._replace(commit=since), old)
    )


def edit(repo: Repo, before: str, after: str, message: str = "") -> str:
    path = repo.path / "rates.py"
    path.write_text(path.read_text().replace(before, after))
    return repo.commit(message) if message else ""


@pytest.fixture
def passed(repo: Repo) -> str:
    """The commit of the pass."""
    repo.put("rates.py", RATES)
    return repo.commit("rates")


def test_the_commit_that_changed_the_unit_is_named(repo: Repo, passed: str) -> None:
    edit(repo, "= 2", "= 3", "raise rate")
    edit(repo, "def", "# say why\ndef", "comment")
    edit(repo, "x * RATE", "RATE * x", "turn round")
    repo.put("other.py", "")
    repo.commit("elsewhere")
    assert named(repo, passed) == ("'raise rate'",)
    assert named(repo, passed, "tax") == ("'turn round'",)
    assert named(repo, passed, None) == ("'turn round'", "'comment'", "'raise rate'")
    edit(repo, "= 3", "= 4")
    assert named(repo, passed) == ("uncommitted edit", "'raise rate'")
    assert named(repo, passed, "tax") == ("'turn round'",)


def test_what_was_put_back_is_not_named(repo: Repo, passed: str) -> None:
    edit(repo, "= 2", "= 3", "raise rate")
    edit(repo, "= 3", "= 2", "put it back")
    edit(repo, "= 2", "= 4", "raise rate again")
    assert named(repo, passed) == ("'raise rate again'",)


def test_a_merge_is_named_only_for_what_it_changed_itself(repo: Repo, passed: str) -> None:
    repo.git("checkout", "-q", "-b", "side")
    edit(repo, "= 2", "= 3", "raise rate")
    repo.git("checkout", "-q", "main")
    edit(repo, "x * RATE", "RATE * x", "turn round")
    repo.git("merge", "-q", "-m", "merge", "side")
    assert named(repo, passed) == ("'raise rate'",)
    edit(repo, "= 3", "= 4")
    repo.git("commit", "-q", "-a", "--amend", "-m", "evil merge")
    assert named(repo, passed) == ("'evil merge'", "'raise rate'")


def test_a_shallow_clone_names_no_wrong_commit(repo: Repo, passed: str) -> None:
    edit(repo, "= 2", "= 3", "raise rate")
    repo.put("other.py", "")
    repo.commit("last")
    assert named(repo.clone("deep", "--depth=3"), passed) == ("'raise rate'",)
    assert named(repo.clone("flat", "--depth=1"), passed) == ()
    # The oldest commit that is there seems to have made everything.
    repo.git("checkout", "-q", "-b", "side", passed)
    repo.put("third.py", "")
    repo.commit("side")
    repo.git("merge", "-q", "-m", "merge", "main")
    cut = repo.clone("cut", "--depth=2", "--branch=side")
    assert passed in cut.git("log", "--format=%H") or named(cut, passed) == ()
    side = repo.git("rev-parse", "side^1")
    assert named(cut, side) == ()


def test_subjects_are_shortened_and_show_no_secret(repo: Repo, passed: str) -> None:
    edit(repo, "= 2", "= 3", "use ghp_" + "a1B2" * 9)
    assert named(repo, passed) == ("'use <secret>'",)
    edit(repo, "= 3", "= 4", "long " * 30)
    (first, _) = named(repo, passed)
    assert first.endswith("...'")
    assert len(first) <= 52


def test_git_is_asked_a_few_times_at_most(
    repo: Repo, passed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(repo, "= 2", "= 3", "raise rate")
    checkout = repo.read()
    asked = Commits(checkout)
    asked._seconds = 60.0
    run = past().run._replace(commit=passed)
    changes = [
        Change(kind=ChangeKind.FILE, path="rates.py", unit=None if not at else f"f{at}")
        for at in range(commits._MOST + 2)
    ]
    calls: list[str] = []
    edits_of = Checkout.edits_of

    def counted(self: Checkout, path: str, *more: Any) -> Any:
        calls.append(path)
        return edits_of(self, path, *more)

    monkeypatch.setattr(Checkout, "edits_of", counted)
    for change in changes * 2:
        asked.of(change, run, {})
    assert len(calls) == commits._MOST
    slow = Commits(checkout)
    slow._seconds = 0.0
    assert slow.of(changes[0], run, {}) == ()
