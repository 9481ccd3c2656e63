"""Verdicts as lines for a terminal.  Nothing here prints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.model import Label
from flakefighters.records import NamedTuple
from flakefighters.reports.escape import escape
from flakefighters.reports.verdicts import WORST
from flakefighters.reports.words import ago
from flakefighters.words import count

if TYPE_CHECKING:
    from flakefighters.model import Failure, Verdict

__all__ = ["COLOURS", "MOST", "Group", "Line", "counted", "details", "grouped", "left_out"]
__all__ += ["proved_lines", "verdict_line"]

COLOURS: Final[Mapping[Label, str]] = {
    Label.FLAKY: "yellow",
    Label.GENUINE: "red",
    Label.UNDECIDED: "cyan",
}
#: More lines than this are grouped, and no more groups than this are shown.
MOST: Final = 20
#: Where not all groups can be shown, each label has at least this many.
_EACH: Final = 3


class Line(NamedTuple):
    """A line that begins with a coloured word."""

    word: str
    colour: str
    rest: str


class Group(NamedTuple):
    """Failures with one verdict and one reason; the first of them is named."""

    verdict: Verdict
    nodeid: str
    #: The phase or the subtest if it is not the call.
    place: str | None
    failure: Failure
    #: How many failures there are besides.
    more: int = 0


def grouped(failures: Sequence[Group], *, every: bool) -> list[Group]:
    """The failures in the order in which they are shown: genuine, undecided, flaky.

    Up to :data:`MOST` failures, and all if ``every``, stay as they are.  More of them are grouped
    by verdict and reason, and only :data:`MOST` groups are returned.
    """
    if every or len(failures) <= MOST:
        return sorted(failures, key=lambda one: WORST.index(one.verdict.label))
    groups: dict[tuple[Label, str, bool], Group] = {}
    for one in failures:
        key = (one.verdict.label, one.verdict.reason, one.verdict.introduced)
        known = groups.get(key)
        groups[key] = one if known is None else known._replace(more=known.more + one.more + 1)
    by_label = {label: [one for key, one in groups.items() if key[0] is label] for label in WORST}
    room = MOST - sum(min(_EACH, len(mine)) for mine in by_label.values())
    shown: list[Group] = []
    for mine in by_label.values():
        extra = min(room, max(0, len(mine) - _EACH))
        room -= extra
        shown += mine[: min(_EACH, len(mine)) + extra]
    return shown


def left_out(failures: Sequence[Group], shown: Sequence[Group]) -> str | None:
    """A line on the failures that no line of their own tells of; None if there are none."""
    if len(shown) == len(failures):
        return None
    told = Counter[Label]()
    for one in shown:
        told[one.verdict.label] += one.more + 1
    rest = Counter(one.verdict.label for one in failures) - told
    parts = [f"{rest[label]} {label.value}" for label in WORST if rest[label]]
    more = f"and {', '.join(parts)} for other reasons; " if parts else ""
    return f"{more}-v lists all {count(len(failures), 'failure')}"


def verdict_line(group: Group, where: str = "terminal") -> Line:
    """ "FLAKY node id - reason", "FLAKY node id and 199 more - reason"."""
    verdict = group.verdict
    # In a group each failure may have a place of its own.
    named = group.place is not None and not group.more
    reason = f"{group.place}: {verdict.why}" if named else verdict.why
    more = f" and {group.more} more" if group.more else ""
    return Line(
        verdict.label.value.upper(),
        COLOURS[verdict.label],
        f" {escape(group.nodeid, where)}{more} - {escape(reason, where)}",
    )


def proved_lines(
    nodeids: Sequence[str],
    verdicts: Sequence[Verdict],
    now: int,
    run: str,
    *,
    every: bool,
    where: str,
) -> list[Line]:
    """A line for each test that passes where it failed in earlier runs on the same state.

    ``verdicts`` are those that are appended to these failures now, ``nodeids`` the names of their
    tests in the same order; ``now`` is in µs UTC, and ``run`` the id of this run: others that are
    the proof were delivered by it.  Many tests of which the same can be said share
    a line, unless ``every``.
    """
    by_test: dict[str, list[Verdict]] = {}
    for nodeid, verdict in zip(nodeids, verdicts, strict=True):
        by_test.setdefault(nodeid, []).append(verdict)
    said: dict[str, list[str]] = {}
    for nodeid, earlier in by_test.items():
        text = _failed_before(earlier, now, run)
        said.setdefault(text if len(by_test) > MOST and not every else nodeid, []).append(nodeid)
    lines = []
    for names in said.values():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        verb = "pass" if more else "passes"
        text = _failed_before(by_test[names[0]], now, run).replace("{verb}", verb)
        rest = f" {escape(names[0], where)}{more} - {escape(text, where)}"
        lines.append(Line(Label.FLAKY.value.upper(), COLOURS[Label.FLAKY], rest))
    return lines


def _failed_before(earlier: Sequence[Verdict], now: int, run: str) -> str:
    newest = max(earlier, key=lambda one: one.run)  # the beginning of an id is its time
    runs = len({one.run for one in earlier}) - 1
    judged = newest.evidence.get("was_at")
    time = f" ({ago(judged, now)})" if isinstance(judged, int) else ""
    besides = f" and {count(runs, 'other run')}" if runs else ""
    by = str(newest.evidence.get("run", run))
    state, passes = "this state", "{verb} now"
    if by != run:
        state, passes = "the same state", f"passed in run {by[-4:]}"
    return (
        f"failed in run {newest.run[-4:]}{time}{besides} on {state}, {passes}"
        f" (was: {newest.evidence.get('was', 'not judged')})"
    )


def counted(failures: Sequence[Group]) -> str:
    """ "1 flaky, 1 genuine"."""
    counts = Counter(one.verdict.label for one in failures)
    parts = [f"{counts[label]} {label.value}" for label in Label if counts[label]]
    return ", ".join(parts) or "no failures"


def details(verdict: Verdict, where: str = "terminal") -> str:
    """One flakefighter's verdict and evidence, on one indented line."""
    evidence = json.dumps(dict(verdict.evidence), ensure_ascii=True, sort_keys=True)
    text = (
        f"    {verdict.fighter}: {verdict.label.value} ({verdict.confidence.value})"
        f" - {verdict.reason} {evidence}"
    )
    return escape(text, where)
