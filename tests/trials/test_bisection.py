"""The commit that broke a test, in histories with merges and commits that cannot be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from flakefighters.model import Bisection, Result, Step
from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout
from flakefighters.trials.bisection import bisect
from tests.scenarios.builder import Repository

P, F, N = Result.PASSED, Result.ALIKE, Result.NOTHING


class History:
    """Commits in a real repository, each with what the test does on it."""

    def __init__(self, folder: Path):
        self.repository = Repository(folder)
        self.results: dict[str, Result] = {}
        self.tried: list[str] = []

    def commit(self, result: Result) -> str:
        number = len(self.results)
        name = self.repository.commit({f"file{number}.txt": f"{number}\n"})
        self.results[name] = result
        return name

    def merge(self, branch: str, result: Result) -> str:
        self.repository.git("merge", "-q", "--no-ff", "-m", "merge", branch)
        name = self.repository.git("rev-parse", "HEAD")
        self.results[name] = result
        return name

    def bisect(
        self,
        good: str,
        known: Mapping[str, Result] | None = None,
        left: Callable[[], bool] = lambda: True,
    ) -> Bisection:
        checkout = Checkout.read(Anchor(self.repository.root))
        told = {one: Step(one, result, "a" * 32) for one, result in (known or {}).items()}

        def attempt(commit: str) -> Step:
            self.tried.append(commit)
            return Step(commit, self.results[commit])

        def midpoints(bad: str, goods: Sequence[str]) -> Sequence[str]:
            return checkout.midpoints(bad, goods)

        head = self.repository.git("rev-parse", "HEAD")
        return bisect(head, good, midpoints, told.get, attempt, left)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def test_a_line_of_commits(history: History) -> None:
    names = [history.commit(F if number >= 7 else P) for number in range(16)]
    found = history.bisect(names[0])
    assert found.broken_by == names[7]
    assert len(history.tried) <= 6


def test_what_the_history_knows_is_not_tried(history: History) -> None:
    names = [history.commit(F if number >= 7 else P) for number in range(16)]
    found = history.bisect(names[0], {names[6]: P, names[7]: F})
    assert found.broken_by == names[7]
    assert set(history.tried) == {names[0], names[15]}


def test_a_commit_on_a_branch_that_was_merged(history: History) -> None:
    good = history.commit(P)
    history.repository.git("checkout", "-q", "-b", "side")
    history.commit(P)
    broke = history.commit(F)
    history.commit(F)
    history.repository.git("checkout", "-q", "main")
    history.commit(P)
    history.commit(P)
    history.merge("side", F)
    history.commit(F)
    assert history.bisect(good).broken_by == broke


def test_a_merge_that_broke_it_itself(history: History) -> None:
    good = history.commit(P)
    history.repository.git("checkout", "-q", "-b", "side")
    history.commit(P)
    history.repository.git("checkout", "-q", "main")
    history.commit(P)
    broke = history.merge("side", F)
    history.commit(F)
    assert history.bisect(good).broken_by == broke


def test_commits_that_cannot_be_built(history: History) -> None:
    results = [P, P, P, N, N, F, F, F]
    names = [history.commit(one) for one in results]
    found = history.bisect(names[0])
    assert found.broken_by is None
    assert set(found.candidates) == set(names[3:6])


def test_one_that_cannot_be_built_elsewhere_does_not_matter(history: History) -> None:
    names = [history.commit(one) for one in [P, P, F, F, N, F, F, F]]
    assert history.bisect(names[0]).broken_by == names[2]


@pytest.mark.parametrize("ends", [(F, F), (P, P), (P, N)])
def test_ends_that_are_none(history: History, ends: tuple[Result, Result]) -> None:
    good = history.commit(ends[0])
    history.commit(ends[1])
    found = history.bisect(good)
    assert found.candidates == []
    assert found.reason is not None


def test_time_that_runs_out(history: History) -> None:
    names = [history.commit(F if number >= 3 else P) for number in range(8)]
    found = history.bisect(names[0], left=lambda: False)
    assert found.reason == "no time was left"
    assert set(found.candidates) == set(names[1:])
