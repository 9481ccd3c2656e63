"""From what a report tells to a run of ours that says where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flakefighters import __version__
from flakefighters.capture.normalise import normalised
from flakefighters.capture.signature import VERSION, signature
from flakefighters.ids import h256, uuid7
from flakefighters.importing.parts import Result, Told
from flakefighters.model import Execution, Failure, Outcome, Project, Run, RunHead

__all__ = ["Found", "Made", "content_tail", "digest_of", "make_run"]

#: Hexadecimal digits of a run's id that come of the content alone.
_TAIL = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What all runs of one import share."""

    project: Project
    redact: Callable[[str], str]
    base: str = ""
    commit: str | None = None
    branch: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One run as it was found."""

    #: Where: a path, the member of an archive, a row.
    name: str
    #: What makes it the same run if it comes again.
    digest: str
    #: "JUnit (pytest)", "pytest-flakefighters".
    kind: str
    started: int
    ended: int | None
    results: Sequence[Result]
    commit: str | None = None

    @property
    def id(self) -> str:
        """A UUIDv7 made of the time and the content."""
        return uuid7(max(0, self.started), bytes.fromhex(self.digest[:20]))


def content_tail(run_id: str) -> str:
    """The part of an id that the time is not part of: the same file has it, whatever its date."""
    return run_id[-_TAIL:]


def digest_of(kind: str, project: str, parts: Iterable[str]) -> str:
    """The hash that makes the id; the same report in another project is another run."""
    return h256("imported", kind, project, sorted(parts))


def make_run(found: Found, made: Made) -> Run:
    """The run, redacted, without state and environment: nothing is known of them."""
    attempts: dict[str, list[Execution]] = {}
    for result in found.results:
        nodeid = made.redact(result.nodeid)
        earlier = attempts.setdefault(nodeid, [])
        earlier.append(_execution(nodeid, len(earlier) + 1, result, made))
    outcomes, durations, executions = [], [], []
    for tries in attempts.values():
        last = tries[-1].outcome
        bad = any(one.outcome in (Outcome.FAILED, Outcome.ERROR) for one in tries[:-1])
        outcomes.append(Outcome.MIXED if bad and last is Outcome.PASSED else last)
        durations += [0, (tries[-1].durations[1] or 0) // 100, 0]
        if len(tries) > 1 or last is not Outcome.PASSED:
            executions += tries
    head = RunHead(
        id=found.id,
        project=made.project.identity,
        started=found.started,
        ended=found.ended,
        commit=made.commit or found.commit,
        branch=made.branch,
        origin={"program": f"flakefighters {__version__}", "imported": found.kind},
        context=made.context,
    )
    return Run(
        head=head,
        project=made.project,
        state=None,
        environment=None,
        suite=tuple(attempts),
        outcomes="".join(outcomes),
        durations=durations,
        executions=executions,
    )


def _execution(nodeid: str, attempt: int, result: Result, made: Made) -> Execution:
    return Execution(
        nodeid=nodeid,
        attempt=attempt,
        outcome=result.outcome,
        durations=(None, result.microseconds, None),
        failures=tuple(_failure(one, made) for one in result.told),
        reason=None if result.reason is None else made.redact(result.reason)[:2_000] or None,
    )


def _failure(told: Told, made: Made) -> Failure:
    def clean(text: str) -> str:
        return normalised(made.redact(text[:20_000]), made.base, limit=8_000)

    name = made.redact(told.exception) if told.exception else None
    frames = [(clean(path), clean(function)) for path, function in told.frames]
    source = clean(told.source) if told.source else None
    text = normalised(made.redact(told.text), made.base)
    said = signature(name, clean(told.message), frames, source=source)
    return Failure(
        phase=told.phase,
        exception=name,
        text=text,
        signature=made.redact(said),
        signature_version=VERSION,
    )
