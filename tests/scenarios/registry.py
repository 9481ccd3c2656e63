"""The list of scenarios: stories with a known answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.scenarios.builder import Content, Repository, Result

__all__ = ["SCENARIOS", "Scenario", "changes", "flaky", "genuine", "unknowable"]

FLAKY, GENUINE, UNDECIDED = "flaky", "genuine", "undecided"

#: Plays the story, and returns the run that is judged.
Play = Callable[[Repository], Result]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story."""

    name: str
    #: What happens, in a sentence.
    story: str
    #: The file it stands in.
    topic: str
    #: What the failure is by construction: "genuine", "flaky", or "unknowable".
    truth: str
    #: The labels that a perfect judge with our means would give.
    right: frozenset[str]
    #: The labels that nobody may ever give.
    wrong: frozenset[str]
    #: The failing test that is judged: its node id, or the end of it.
    nodeid: str
    play: Play
    #: Words that the reason must hold when the label is right.
    says: str = ""
    #: Without git in the folder.
    bare: bool = False

    def grade(self, label: str | None, reason: str) -> str:
        """ "right", "undecided", "unsaid" (right without the words), "wrong" or "missing"."""
        if label is None or label == "missing":
            return "missing"
        if label in self.wrong:
            return "wrong"
        if label not in self.right:
            return "undecided"
        return "right" if self.says in reason else "unsaid"


SCENARIOS: dict[str, Scenario] = {}


def _register(
    truth: str,
    right: set[str],
    wrong: set[str],
    nodeid: str,
    *,
    says: str = "",
    bare: bool = False,
) -> Callable[[Play], Play]:
    def add(play: Play) -> Play:
        name = play.__name__
        assert name not in SCENARIOS, f"two scenarios are called {name}"
        story = " ".join((play.__doc__ or "").split())
        assert story, f"{name} tells no story"
        topic = play.__module__.rpartition(".")[2]
        SCENARIOS[name] = Scenario(
            name,
            story,
            topic,
            truth,
            frozenset(right),
            frozenset(wrong),
            nodeid,
            play,
            says,
            bare,
        )
        return play

    return add


def genuine(
    nodeid: str = "test_tax.py::test_tax", *, or_undecided: bool = False, **more: object
) -> Callable[[Play], Play]:
    """The failure has a cause in what changed; ``or_undecided``: more than can be seen."""
    right = {GENUINE, UNDECIDED} if or_undecided else {GENUINE}
    return _register(GENUINE, right, {FLAKY}, nodeid, **more)  # type: ignore[arg-type]


def flaky(
    nodeid: str = "test_net.py::test_net", *, or_undecided: bool = False, **more: object
) -> Callable[[Play], Play]:
    """The failure has no cause in what changed."""
    right = {FLAKY, UNDECIDED} if or_undecided else {FLAKY}
    return _register(FLAKY, right, {GENUINE}, nodeid, **more)  # type: ignore[arg-type]


def unknowable(
    nodeid: str,
    *,
    right: tuple[str, ...] = (UNDECIDED,),
    wrong: tuple[str, ...] = (FLAKY, GENUINE),
    **more: object,
) -> Callable[[Play], Play]:
    """Nobody can tell from what there is to see."""
    return _register("unknowable", set(right), set(wrong), nodeid, **more)  # type: ignore[arg-type]


def changes(
    name: str,
    story: str,
    before: Mapping[str, Content],
    after: Mapping[str, Content],
    *,
    flaky_test: str | None = None,
    nodeid: str = "test_tax.py::test_tax",
    **more: object,
) -> None:
    """The commonest story: these files pass, a commit writes those, and a test fails.

    Because of the commit, unless ``flaky_test`` names the test that trouble makes fail.
    """

    def play(repo: Repository) -> Result:
        repo.start(before)
        repo.save(after)
        return repo.run(trouble=flaky_test is not None)

    play.__name__, play.__doc__ = name, story
    play.__module__ = str(more.pop("topic"))
    if flaky_test is None:
        genuine(nodeid, **more)(play)  # type: ignore[arg-type]
    else:
        flaky(flaky_test, **more)(play)  # type: ignore[arg-type]
