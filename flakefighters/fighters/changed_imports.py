"""What changed since the last pass, and can the test's imports reach any of it?

The static, coarse form of regression test selection by files (Gligoric, Eloussi and Marinov,
ISSTA 2015): it may only accuse the change, never excuse it.
"""

from __future__ import annotations

from collections.abc import Mapping

from flakefighters.fighters.cells import PASSES, unclear
from flakefighters.fighters.sentences import changed, crossed, shown, where
from flakefighters.fighters.strategy import Strategy
from flakefighters.model import (
    OPEN,
    Case,
    Change,
    ChangeKind,
    Changes,
    Confidence,
    Label,
    Level,
    Need,
    Outcome,
    Verdict,
    setting,
)
from flakefighters.words import count, few

__all__ = ["ChangedImports"]

_FILES = frozenset({ChangeKind.FILE, ChangeKind.FUNCTION, ChangeKind.CLASS, ChangeKind.STATEMENT})


#: What ends an execution that did nothing wrong by itself.
_LIMITS = {
    "crash": "its process died",
    "memory": "there was no memory left",
    "timeout": "it took too long",
}


class ChangedImports(Strategy):
    """Genuine if a changed file is reached by the test's imports."""

    name = "changed_imports"
    level = Level.EVIDENCE
    needs = frozenset({Need.HISTORY, Need.BASELINE, Need.REACH})

    def judge(self, case: Case) -> Verdict | None:
        if case.baseline is None:
            return self._never_passed(case)
        if case.reach is None:
            return None  # what it ran is known better
        changes = case.baseline.changes
        since = where(case.baseline.past)
        reach = case.reach.files
        touched = [
            change for change in changes.changes if change.kind in _FILES and change.path in reach
        ]
        evidence: dict[str, object] = {
            "baseline": case.baseline.past.run.id,
            "commit": case.baseline.past.run.commit,
            "state": case.baseline.past.run.state,
            "considered": len(changes.changes),
            "source": changes.source,
            "touched": [_plain(change) for change in touched[:20]],
        }
        ended = self._ended(case, evidence)
        if ended is not None:
            return ended
        if touched:
            paths = list(dict.fromkeys(change.path for change in touched))
            paths.sort(key=lambda path: (path != case.own_file, path))
            named = [Change(kind=ChangeKind.FILE, path=path) for path in paths[:2]]
            when = changed(case, named, case.baseline.past)
            if paths[0] == case.own_file:
                reason = f"its own file {paths[0]} {when}"
            else:
                reason = f"imports {few(paths)}, {when}"
            return self.say(Label.GENUINE, Confidence.FAIR, reason, evidence)
        doubt = _doubt(case, since)
        if doubt is None:
            # Unwatched, it may have opened what changed, or started a process that ran it.
            evidence[OPEN] = not changes.changes or case.baseline.touching is not None
            doubt = _nothing(changes, since)
        return self.say(Label.UNDECIDED, Confidence.WEAK, doubt, evidence)

    def _ended(self, case: Case, evidence: Mapping[str, object]) -> Verdict | None:
        """Undecided if the execution was ended from outside."""
        limit = case.failure.facts.get("limit")
        if limit not in _LIMITS:
            return None
        reason = f"{_LIMITS[limit]}, which may have nothing to do with the change"
        return self.say(Label.UNDECIDED, Confidence.WEAK, reason, evidence)

    def _never_passed(self, case: Case) -> Verdict:
        evidence = {"runs": len(case.past), "own_file": case.own_file, "new": case.own_change}
        ended = self._ended(case, evidence)
        if ended is not None:
            return ended
        if case.own_change is not None:
            reason = f"never passed, and its file {case.own_file} {case.own_change}"
            return self.say(Label.GENUINE, Confidence.FAIR, reason, evidence)
        changing = self._changing(case)
        if changing is not None:
            return changing
        if not case.history:
            reason = "the history could not be read"
            return self.say(Label.UNDECIDED, Confidence.WEAK, reason, evidence)
        if case.not_believed is not None:
            return self.say(Label.UNDECIDED, Confidence.WEAK, case.not_believed, evidence)
        known = "in any known run" if case.searched else "in the runs that were looked at"
        reason = f"never passed before {known}"
        apart = unclear(case.head, case.past, case.comparable)
        if case.sibling is not None:
            reason = f"passed with other parameters only ({where(case.sibling)})"
        again = next((past for past in case.past if past.outcome is Outcome.MIXED), None)
        if again is not None:
            reason = f"passed in further attempts only ({where(again)})"
        if any(past.run.id in apart and past.outcome in PASSES for past in case.past):
            reason = "passed, but perhaps only in another cell of this job's matrix"
        if case.past:
            reason += f" ({count(len(case.past), 'earlier result')})"
        return self.say(Label.UNDECIDED, Confidence.WEAK, reason, evidence)

    def _changing(self, case: Case) -> Verdict | None:
        """Genuine if it touched what git says is being changed."""
        touched = () if case.changing is None else case.changing.touched
        if not touched:
            return None
        known = "no earlier pass is known" if case.past else "no earlier run is known"
        own = [one for _, one in touched if one.path == case.own_file and one.how == "added"]
        if own and own[0].unit is None:
            reason = f"its own file {case.own_file} is new ({known})"
        else:
            how = touched[0][0]
            names = {shown(change): change for way, change in touched if way is how}
            since = f"which {case.changed_by} changes ({known})"
            if case.sibling is not None:
                since = changed(case, list(names.values())[:2], case.sibling)
                last, here = "it last passed", "it passed with other parameters"
                since = since.replace(last, here) if last in since else f"{since} since {here}"
            reason = f"{how.value} {few(list(names))}, {since}"
        evidence = {
            "runs": len(case.past),
            "changed_by": case.changed_by,
            "touched": [_plain(change) for _, change in touched[:20]],
        }
        return self.say(Label.GENUINE, Confidence.FAIR, reason, evidence)


def _doubt(case: Case, since: str) -> str | None:
    """Why a change may have reached the test all the same; None if nothing says so."""
    assert case.baseline is not None
    changes = case.baseline.changes
    if not changes.complete:
        return f"what changed since it last passed ({since}) is not wholly known: {changes.unknown}"
    other = [change for change in changes.changes if change.kind not in _FILES]
    if case.reach is not None and case.reach.unknown and changes.changes:
        return f"its imports are not wholly known: {case.reach.unknown}"
    if (across := crossed(other, since)) is not None:
        return f"{across}; no changed file is imported by it"
    if other:
        names = [_short(change) for change in other]
        return f"no changed file is imported by it, but {few(names)} changed since {since}"
    return None


def _nothing(changes: Changes, since: str) -> str:
    """That its imports lead to no change: not all that a test runs is imported."""
    if changes.changes:
        number = len({change.path for change in changes.changes})
        it = (
            "does not import the one file" if number == 1 else f"imports none of the {number} files"
        )
        return f"it {it} that changed since it last passed ({since})"
    return f"nothing that is known changed since it last passed ({since})"


def _short(change: Change) -> str:
    if change.before is not None and change.after is not None and len(change.after) < 30:
        return f"{setting(change.path)} {change.before} -> {change.after}"
    return setting(change.path)


def _plain(change: Change) -> list[object]:
    return [change.kind.value, change.path, change.unit, change.line, change.how]
