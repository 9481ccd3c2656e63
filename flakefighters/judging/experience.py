"""What earlier failures teach: which of them are known to be flaky or genuine, and how.

A failure is known by proof, by the change that ended it, or by what people said of it.  All else
teaches nothing: otherwise verdicts would be learned from verdicts.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.history.lessons import MOST, Asked
from flakefighters.model import Experience, Label, Lesson, Met, Pass, Verdict
from flakefighters.model.decisions import MARK, NO_MARK, standing, targets_of
from flakefighters.model.verdicts import standing as standing_verdicts

if TYPE_CHECKING:
    from flakefighters.history import Evidence, History
    from flakefighters.model import RunHead
    from flakefighters.model.decisions import Event

__all__ = ["Key", "ended_by_change", "gather", "known", "to_confirm"]

#: What names a failure: run, node id, attempt and index.
Key = tuple[str, str, int, int]
#: So many lines of signatures are sought at most, none shorter than that.
_MOST_LINES: Final = 30
_SHORTEST: Final = 8
_LABELS: Final = {"flaky": Label.FLAKY, "genuine": Label.GENUINE}


def gather(evidence: Evidence, failed: Mapping[str, Iterable[str]]) -> Experience:
    """The lessons for a run in which these tests failed with these signatures.

    Three questions to each history, one more for failures that a change may have ended, and one
    for marks.
    """
    signatures = sorted({one for some in failed.values() for one in some if one})
    lines = dict.fromkeys(line for one in signatures for line in _telling(one))
    asked = Asked(sorted(failed), signatures, list(lines)[:_MOST_LINES])
    met, verdicts, texts = evidence.failures_like(asked)
    if not met:
        return Experience()
    said = standing_verdicts(verdicts)
    ended = to_confirm(met, said)
    passes = evidence.passes(ended) if ended else {}
    labels = known(met, said, passes, evidence.events())
    lessons: dict[tuple[str, str, Label, str], Lesson] = {}
    runs: Counter[tuple[str, str, Label, str]] = Counter()
    counted = set()
    for one in met:
        if one.key not in labels:
            continue
        label, how = labels[one.key]
        text = texts.get(one.text, "")
        same = (one.signature, one.nodeid, label, one.text if text else "")
        if (same, one.run) not in counted:
            counted.add((same, one.run))
            runs[same] += 1
        if same not in lessons:
            where = (one.run, one.started, one.nodeid, label, how)
            lessons[same] = Lesson(*where, one.exception, one.signature, text)
    every = [one._replace(runs=runs[same]) for same, one in lessons.items()]
    return Experience(tuple(every[:MOST]), cut=len(met) > MOST)


def _telling(signature: str) -> Iterator[str]:
    """Lines that few failures share: message, code, places and causes.

    Not the exception, and not the shape of an assertion ("assert # == #").
    """
    for line in signature.split("\n")[1:]:
        if len(line) >= _SHORTEST and not line.startswith("assert "):
            yield line


def to_confirm(met: Iterable[Met], said: Mapping[Key, Verdict]) -> list[str]:
    """The tests whose passes :func:`known` needs: judged genuine, without proof."""
    return sorted({one.nodeid for one in met if _is_supposed(said.get(one.key))})


def _is_supposed(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.label is Label.GENUINE and not verdict.proved


def known(
    met: Sequence[Met],
    said: Mapping[Key, Verdict],
    passes: Mapping[str, Sequence[Pass]],
    events: Iterable[Event] = (),
) -> dict[Key, tuple[Label, str]]:
    """Which failures are known to be what, and how: "proof", "fix" or "mark".

    ``said`` is the verdict that stands on each failure, ``passes`` are those of the tests of
    :func:`to_confirm`.  Proof counts before a fix, and a fix before a mark.  A failure that is
    proved flaky and may have been introduced by a change is known to be neither.
    """
    marks = {target: one for (kind, target), one in standing(events).items() if kind == MARK}
    alike: dict[tuple[str, str], list[Met]] = {}
    for one in met:
        alike.setdefault((one.nodeid, one.signature), []).append(one)
    found: dict[Key, tuple[Label, str]] = {}
    summed = {nodeid: _Passes(some) for nodeid, some in passes.items()}
    for group in alike.values():
        ended = _ended(group, said, summed.get(group[0].nodeid))
        for one in group:
            verdict = said.get(one.key)
            if verdict is not None and verdict.proved:
                if verdict.label is not Label.UNDECIDED and not verdict.introduced:
                    found[one.key] = verdict.label, "proof"
            elif one.environment_key in ended and _is_supposed(verdict):
                found[one.key] = Label.GENUINE, "fix"
            elif marks and (label := _marked(one, marks)) is not None:
                found[one.key] = label, "mark"
    return found


class _Passes:
    """The passes of one test, to be asked for many failures."""

    def __init__(self, passes: Sequence[Pass]):
        self.states = {one.state for one in passes}
        self.starts = sorted(one.started for one in passes)
        #: The newest on a known state, by environment.
        self.newest: dict[str, int] = {}
        for one in passes:
            if one.state is not None and one.environment_key is not None:
                last = self.newest.get(one.environment_key, one.started)
                self.newest[one.environment_key] = max(one.started, last)

    def between(self, first: int, last: int) -> bool:
        """Whether there is one from ``first`` to ``last``."""
        return bisect_left(self.starts, first) != bisect_right(self.starts, last)


def _ended(
    group: Sequence[Met], said: Mapping[Key, Verdict], passes: _Passes | None
) -> Collection[str | None]:
    """The environments in which a change ended some failures of one test that are alike.

    They came in one row: no pass on a state on which one of them was met, none between them, no
    proof that one of them is flaky; and then a pass on another state.
    """
    if passes is None or any(_is_flaky(said.get(one.key)) for one in group):
        return ()
    states = {one.state for one in group}
    starts = [one.started for one in group]
    first, last = min(starts), max(starts)
    if None in states or states & passes.states or passes.between(first, last):
        return ()
    return {key for key, newest in passes.newest.items() if newest > last}


def _is_flaky(verdict: Verdict | None) -> bool:
    """Whether it is proved."""
    return verdict is not None and verdict.label is Label.FLAKY and verdict.proved


def _marked(one: Met, marks: Mapping[str, Event]) -> Label | None:
    """What people say of a failure, if they agree.

    A mark on a test is on what its author can have seen: failures before it.  One on a signature
    is on all that have it.
    """
    said = set()
    for target in targets_of(one.nodeid, one.signature):
        mark = marks.get(target)
        on_test = not target.startswith("signature:")
        if mark is None or mark.state == NO_MARK or (on_test and one.started > mark.at):
            continue
        said.add(_LABELS.get(mark.state))
    return said.pop() if len(said) == 1 else None


def ended_by_change(
    history: History, heads: Sequence[RunHead], verdicts: Iterable[Verdict]
) -> set[Key]:
    """The failures of these runs that are known to be genuine by the change that ended them.

    ``verdicts`` are those on these runs; what other runs tell is not asked.
    """
    said = standing_verdicts(verdicts)
    if not any(map(_is_supposed, said.values())):
        return set()
    runs = [one.id for one in heads]
    met = history.lessons.of(runs)
    passes = history.lessons.passes(heads[0].project, to_confirm(met, said), runs)
    return {key for key, (_, how) in known(met, said, passes).items() if how == "fix"}
