"""What changed since an earlier run: files, units, settings and distributions."""

from __future__ import annotations

from collections.abc import Mapping

from flakefighters.environment.differences import compare
from flakefighters.history import Evidence
from flakefighters.judging.accounts import Accounts
from flakefighters.judging.baselines import files_of
from flakefighters.judging.evidence import Known
from flakefighters.model import Change, Changes, Run, RunHead
from flakefighters.state.checkout import Checkout
from flakefighters.state.files import differing

__all__ = ["Since"]


class Since:
    """Compares one run with those before it; each state once."""

    def __init__(
        self,
        run: Run,
        history: Evidence | None,
        checkout: Checkout,
        accounts: Accounts,
        known: Known,
    ) -> None:
        self._run, self._history, self._checkout = run, history, checkout
        self._accounts, self._known = accounts, known
        #: By the id of a state that was compared: its files, None if they are not known.
        self.files: dict[str, Mapping[str, str] | None] = {}
        self._changes: dict[tuple[str | None, str | None], Changes] = {}

    def changes(self, head: RunHead) -> Changes:
        """What differs from the state and environment of an earlier run."""
        key = (head.state, head.environment)
        if key not in self._changes:
            self._changes[key] = self._compare(head)
        return self._changes[key]

    def _compare(self, head: RunHead) -> Changes:
        changes: list[Change] = []
        source = "recorded"
        unknown = None
        if head.state is None or self._run.head.state is None:
            unknown = "a state that could not be read"
        elif head.state != self._run.head.state:
            old, new = self._files_of(head), self._checkout.files()
            if old is None or new is None:
                unknown = "the files of that state were not recorded"
            elif self._accounts.known:
                delta = self._accounts.since(head.state, old)
                source = delta.source
                changes.extend(effect.change for effect in delta.effects)
            else:
                changes.extend(differing(old, new))
        then = self._known.environments.get(head.environment or "")
        if then is None or self._run.environment is None:
            unknown = unknown or "the environment was not recorded"
        else:
            changes.extend(compare(then, self._run.environment))
        return Changes(
            changes=tuple(changes), complete=unknown is None, unknown=unknown, source=source
        )

    def _files_of(self, head: RunHead) -> Mapping[str, str] | None:
        state = head.state
        if state is None:
            return None
        if state not in self.files:
            assert self._history is not None
            files = files_of([head], self._history, self._checkout).get(state)
            self.files[state] = None if files is None else dict(files)
        return self.files[state]

    def own_change(self, file: str) -> str | None:
        """How the test's file differs from the newest recorded state in which it differed."""
        now = (self._checkout.files() or {}).get(file)
        for head in sorted(self._known.runs, key=lambda one: -one.started):
            if head.state == self._run.head.state:
                continue
            files = self._files_of(head)
            if files is None or files.get(file) == now:
                continue
            how = "is new" if file not in files else "changed"
            return f"{how} since run {head.id[-4:]}"
        return None
