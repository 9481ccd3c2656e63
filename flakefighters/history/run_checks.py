"""Whether a run from elsewhere is written down as we would write it.

A file from another machine and a journal in a folder are asked the same: is everything of its type,
in its range, within bounds, and under the id that its content has?
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flakefighters.errors import ForeignDatabaseError
from flakefighters.history import content

if TYPE_CHECKING:
    from flakefighters.model import Environment, Run, RunHead, State, Verdict

__all__ = ["Limits", "check_count", "check_run", "check_verdicts", "is_run_id"]

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_BLOB: Final = re.compile(r"[0-9a-f]{16}")
_OUTCOMES: Final = frozenset(".FEsxXR?-")

#: Numbers that a database keeps in four bytes.
_COUNTS: Final = frozenset({"attempt", "index", "signature_version", "version"})
#: Numbers within JSON are kept as text: a seed may have some digits more.
_LARGEST: Final = 1 << 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a foreign file may hold; beyond that it is refused, or the run is."""

    file_bytes: int = 512 * 1024 * 1024
    runs: int = 100_000
    tests: int = 200_000  # per run
    executions: int = 100_000  # per run
    #: Per failure: one by each flakefighter, the joined one, and a few that runs since gave.
    verdicts: int = 16
    verdicts_of_run: int = 50_000
    evidence: int = 16 * 1024 * 1024  # characters, per run
    text: int = 1024 * 1024  # characters of one text
    json_depth: int = 32
    seconds: float = 300.0


def is_run_id(text: object) -> bool:
    """Whether a run can have this id; nothing else becomes part of a path or a question."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def check_run(run: Run, limits: Limits) -> None:
    """ForeignDatabaseError (or any error of malformed data) unless all is as we write it."""
    if len(run.suite) > limits.tests or len(run.executions) > limits.executions:
        raise ForeignDatabaseError("it is too large")
    for part in (run.head, run.project, run.environment, run.state, *run.executions):
        if part is not None:
            _typed(part, limits)
    _check_head(run.head)
    _check_suite(run, limits)
    _check_order(run)
    _json(run.seen, 0, limits)
    if run.state is not None:
        _check_state(run.state)
    if run.environment is not None:
        _check_environment(run.environment)


def check_count(verdicts: int, run: Run, limits: Limits) -> None:
    """ForeignDatabaseError for more verdicts than the failures of ``run`` can have."""
    failures = sum(len(execution.failures) for execution in run.executions)
    if verdicts > min(limits.verdicts * failures, limits.verdicts_of_run):
        raise ForeignDatabaseError(f"it has {verdicts:,} verdicts on {failures:,} failures")


def check_verdicts(verdicts: Sequence[Verdict], run: Run, limits: Limits) -> None:
    """The same for verdicts: they must be on this ``run``, and not too many."""
    check_count(len(verdicts), run, limits)
    for verdict in verdicts:
        _typed(verdict, limits)
        if verdict.run != run.head.id:
            raise ForeignDatabaseError("a verdict is on another run")


def _check_head(head: RunHead) -> None:
    if not is_run_id(head.id):
        raise ForeignDatabaseError("its id is malformed")
    for what, name in (("commit", head.commit), ("tree", head.tree)):
        if name is not None and not _COMMIT.fullmatch(name):
            raise ForeignDatabaseError(f"its {what} is malformed")


def _check_suite(run: Run, limits: Limits) -> None:
    if not all(isinstance(text, str) for text in (*run.suite, run.outcomes)):
        raise ForeignDatabaseError("a text is not a text")
    if max(map(len, run.suite), default=0) > limits.text:
        raise ForeignDatabaseError("a node id is too long")
    if not set(run.outcomes) <= _OUTCOMES:
        raise ForeignDatabaseError("an outcome is unknown")
    if not all(type(number) is int and 0 <= number < 1 << 53 for number in run.durations):
        raise ForeignDatabaseError("a duration is not a number")


def _check_order(run: Run) -> None:
    """Positions in the suite, a list per worker."""
    size = len(run.suite)
    for worker in run.order or ():
        if not isinstance(worker, (list, tuple)) or not all(
            type(place) is int and 0 <= place < size for place in worker
        ):
            raise ForeignDatabaseError("an order names tests that are not there")


def _check_state(state: State) -> None:
    if state.id != content.state_key(state.tree, state.digest):
        raise ForeignDatabaseError("its state is not what its id says")
    for path, blob in (state.files or {}).items():
        if not isinstance(blob, str) or not _BLOB.fullmatch(blob):
            raise ForeignDatabaseError("a file's id is malformed")
        if path.startswith("/") or ".." in path.split("/"):
            raise ForeignDatabaseError("a file lies outside of the project")


def _check_environment(environment: Environment) -> None:
    if content.environment_keys(environment) != (environment.id, environment.key):
        raise ForeignDatabaseError("its environment is not what its id says")
    if not all(isinstance(version, str) for version in environment.distributions.values()):
        raise ForeignDatabaseError("a version is not a text")


def _typed(part: Any, limits: Limits) -> None:
    """Check every field of a noun by what the model says of it."""
    hints = type(part).__annotations__
    for name, value in part._asdict().items():
        wanted = hints[name]
        if name == "failures":
            for failure in value:
                _typed(failure, limits)
        elif name == "durations":
            if len(value) != 3 or not all(n is None or _is_number(n, "") for n in value):
                raise ForeignDatabaseError("its durations are malformed")
        elif isinstance(value, Mapping):
            _json(value, 0, limits)
            if not wanted.startswith("Mapping"):
                raise ForeignDatabaseError(f"its {name} is malformed")
        elif not _fits(value, wanted, name, limits):
            raise ForeignDatabaseError(f"its {name} is malformed")


def _fits(value: object, wanted: str, name: str, limits: Limits) -> bool:
    if value is None:
        return "None" in wanted
    if isinstance(value, str):
        # Enumerations are texts too, and were checked when they were made.
        return not wanted.startswith(("int", "bool", "Mapping")) and len(value) <= limits.text
    if isinstance(value, bool):
        return wanted.startswith("bool")
    return wanted.startswith("int") and _is_number(value, name)


def _is_number(value: object, name: str) -> bool:
    """Whether a database has room for it."""
    largest = 1 << (31 if name in _COUNTS else 63)
    return type(value) is int and -largest <= value < largest


def _json(value: Any, depth: int, limits: Limits) -> None:
    if depth > limits.json_depth:
        raise ForeignDatabaseError("it is nested too deeply")
    if isinstance(value, Mapping):
        for key, member in value.items():
            _json(key, depth + 1, limits)
            _json(member, depth + 1, limits)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _json(member, depth + 1, limits)
    elif isinstance(value, str):
        if len(value) > limits.text:
            raise ForeignDatabaseError("a text is too long")
    elif isinstance(value, int) and abs(value) >= _LARGEST:
        raise ForeignDatabaseError("a number is too large")
