"""What one session tells programs: ``--flakefighters-json``, and sections in other reports.

The schema is docs/reference/run.schema.json.  Keys are added, never renamed or removed; what
breaks that raises :data:`SCHEMA_VERSION`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flakefighters import __version__
from flakefighters.model import Execution, Outcome, Run, Verdict
from flakefighters.model.spectra import Localised
from flakefighters.reports.escape import escape
from flakefighters.reports.localisation import localised_record
from flakefighters.reports.records import (
    Record,
    environment_record,
    failure_record,
    head_record,
    verdict_record,
)
from flakefighters.reports.verdicts import Given, by_failure, labels, trials_of

__all__ = ["SCHEMA", "SCHEMA_VERSION", "Told", "html_section", "section_record", "session_record"]

SCHEMA: Final = "flakefighters-run"
SCHEMA_VERSION: Final = 1
#: What only another run can be compared with.
_HASHES: Final = frozenset({"variables"})
#: Positions in ``durations``.
_PHASES: Final = ("setup", "call", "teardown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A session that is over."""

    run: Run
    #: The joined verdicts, and those of each flakefighter.
    joint: Sequence[Verdict] = ()
    said: Sequence[Verdict] = ()
    #: Verdicts on failures of earlier runs, which this run proves flaky.
    proved: Sequence[Verdict] = ()
    #: The name that pytest prints for a test of the run.
    pytests: Callable[[str], str] = str
    #: Which history, and why: plain values without a password.
    profile: Mapping[str, str | bool | None] = field(default_factory=dict)
    saved: bool = False
    #: What sets failing attempts apart, if that was asked for.
    localised: Sequence[Localised] = ()
    notes: Sequence[str] = ()


def session_record(told: Told, exit_code: int) -> Record:
    """All of it, as ``--flakefighters-json`` writes it."""
    run = told.run
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "flakefighters": __version__,
        "run": {
            **head_record(run.head),
            "project_label": run.project.label,
            "selection": dict(run.head.selection),
            "context": {k: v for k, v in run.head.context.items() if k not in _HASHES},
            "environment_details": environment_record(run.environment),
        },
        "profile": dict(told.profile),
        "saved": told.saved,
        "exit_code": exit_code,
        "counts": _counts(told),
        "results": [
            {"nodeid": nodeid, "outcome": Outcome(letter).word}
            for nodeid, letter in zip(run.suite, run.outcomes, strict=True)
        ],
        "failures": list(_failures(told)),
        "proved_earlier": [verdict_record(one) for one in told.proved],
        "localised": [localised_record(one) for one in told.localised],
        "notes": list(told.notes),
    }


def section_record(told: Told) -> Record:
    """What belongs into another program's report, which knows the rest."""
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "run": told.run.head.id,
        "counts": _counts(told),
        "failures": list(_failures(told)),
    }


def _counts(told: Told) -> Record:
    return {
        "tests": len(told.run.suite),
        "outcomes": told.run.tally,
        "verdicts": {label.value: number for label, number in labels(told.joint).items()},
    }


def _failures(told: Told) -> Iterator[Record]:
    """Every failure of every attempt, with what was said of it."""
    outcomes = dict(zip(told.run.suite, told.run.outcomes, strict=True))
    given = by_failure([*told.joint, *told.said])
    for nodeid, mine in told.run.by_test.items():
        last = max((one.attempt for one in mine if one.failures), default=0)
        tries = [_attempt(one) for one in mine]
        for execution in mine:
            for index, failure in enumerate(execution.failures):
                yield {
                    "nodeid": nodeid,
                    "pytest_nodeid": told.pytests(nodeid),
                    "attempt": execution.attempt,
                    "failure": index,
                    "last": execution.attempt == last,
                    "outcome": execution.outcome.word,
                    "test_outcome": Outcome(outcomes[nodeid]).word,
                    **failure_record(failure),
                    **_verdicts(given.get((nodeid, execution.attempt, index))),
                    "attempts": tries,
                }


def _attempt(execution: Execution) -> Record:
    return {
        "attempt": execution.attempt,
        "outcome": execution.outcome.word,
        "durations_us": dict(zip(_PHASES, execution.durations, strict=True)),
        "worker": execution.worker,
        "reason": execution.reason,
    }


def _verdicts(given: Given | None) -> Record:
    stands = None if given is None else given.stands
    return {
        "verdict": None if stands is None else verdict_record(stands),
        "said": [] if given is None else [verdict_record(one) for one in given.said],
        "trials": [] if stands is None else trials_of(stands),
    }


def html_section(told: Told) -> str:
    """A heading and a table of the verdicts; all that comes from the project is escaped."""
    rows = [
        (one["verdict"]["label"].upper(), one["pytest_nodeid"], _place(one), _reason(one))
        for one in _failures(told)
        if one["last"] and one["verdict"] is not None
    ]
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(cell, 'html')}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    head = "<tr><th>Verdict</th><th>Test</th><th>Where</th><th>Reason</th></tr>"
    table = f"<table><thead>{head}</thead><tbody>{cells}</tbody></table>" if rows else ""
    counts = ", ".join(f"{n} {label}" for label, n in _counts(told)["verdicts"].items())
    return (
        '<div class="flakefighters"><h2>flakefighters</h2>'
        f"<p>{counts or 'no verdicts'}; run {escape(told.run.head.id, 'html')}</p>{table}</div>"
    )


def _place(failure: Record) -> str:
    return str(failure["phase"] if failure["subtest"] is None else failure["subtest"])


def _reason(failure: Record) -> str:
    verdict = failure["verdict"]
    return str(verdict["reason"]) + (" (new: introduced here?)" if verdict["introduced"] else "")
