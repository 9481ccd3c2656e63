"""Which commit changed what a failing test touched, as far as git tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.capture.redact_patterns import redact_patterns
from flakefighters.model import Change, RunHead
from flakefighters.originals import real
from flakefighters.source.diff import compare
from flakefighters.state.checkout import Checkout
from flakefighters.state.objects import Edit

__all__ = ["Commits"]

#: Questions to git, and seconds for all of them: the user waits for the end of the run.
_MOST: Final = 12
_SECONDS: Final = 1.0
#: So much of a commit's subject is shown.
_SUBJECT: Final = 50


class Commits:
    """Asked for the few changes that verdicts name; what several have in common is kept."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._left = _MOST
        self._seconds = _SECONDS
        self._known: dict[tuple[str | None, str, str | None], tuple[str, ...]] = {}

    def of(self, change: Change, since: RunHead, old: Mapping[str, str]) -> tuple[str, ...]:
        """``9826683 'raise rate'`` for each commit that changed it since a run, the newest first.

        ``old`` are the files of that run.  What is not committed is ``uncommitted edit``.  Empty if
        git cannot tell.
        """
        key = (since.state, change.path, change.unit)
        if key not in self._known:
            self._known[key] = ()
            if self._left > 0 and self._seconds > 0:
                self._left -= 1
                start = real.monotonic()
                self._known[key] = self._look(change, since.commit, old.get(change.path))
                self._seconds -= real.monotonic() - start
        return self._known[key]

    def _look(self, change: Change, since: str | None, old: str | None) -> tuple[str, ...]:
        path, unit = change.path, change.unit
        edits = self._checkout.edits_of(path, since, self._seconds)
        contents = {} if unit is None else self._contents(path, edits, old)

        def differs(before: str | None, after: str | None) -> bool:
            if before is None or after is None or unit is None or before == after:
                return before != after
            found = compare(path, contents[before], contents[after])
            return any(one.unit in (unit, None) for one in found)

        told: list[str] = []
        try:
            for edit in edits:
                if not edit.before:
                    return ()  # where a shallow clone ends, or the very beginning
                # A merge changes only what it takes from none of its parents.
                if all(differs(before, edit.after) for before in edit.before):
                    told.append(_told(edit.commit, edit.subject))
                    if not any(differs(old, before) for before in edit.before):
                        break  # here it was as when the test passed
        except KeyError:  # git does not have all of it
            return ()
        return tuple(told)

    def _contents(self, path: str, edits: Sequence[Edit], old: str | None) -> dict[str, bytes]:
        """The versions of a file by their ids."""
        names = {name for one in edits for name in (*one.before, one.after, old) if name}
        found = self._checkout.read_blobs(names)
        if edits and edits[0].commit is None and edits[0].after is not None:
            found[edits[0].after] = self._checkout.disk.read(f"{self._checkout.base}/{path}") or b""
        return found


def _told(commit: str | None, subject: str) -> str:
    if commit is None:
        return "uncommitted edit"
    subject = redact_patterns(subject)
    short = subject if len(subject) <= _SUBJECT else f"{subject[: _SUBJECT - 3].rstrip()}..."
    return f"{commit[:7]} '{short}'"
