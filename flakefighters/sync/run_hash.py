"""The content hash of a staged run, from its rows.

The recipe is that of ``history/content.py``, but the parts that runs share are encoded once:
building every run first, as ``content.content_hash`` wants it, takes ten times as long.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from flakefighters.history import content
from flakefighters.history.run_columns import HASHED, NAMES, Form
from flakefighters.ids import encode, unstorable
from flakefighters.model import Completeness, Outcome, Phase
from flakefighters.sync.verify_shared import Shared, canonical_json, text_field

__all__ = ["RUN_ID", "Suite", "WrongError", "run_hash"]

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
_PHASES: Final = frozenset(str(phase) for phase in Phase)
_LETTERS: Final = frozenset(str(outcome) for outcome in Outcome)
_LEADING_ZERO: Final = re.compile(",0[0-9]")
_TIMES: Final = re.compile(r"\[(?:null|0|-?[1-9]\d*)(?:,(?:null|0|-?[1-9]\d*)){2}\]", re.ASCII)

_RUN: Final = """
SELECT {run},
  s.id, s.tree, s.digest, e.id, e.key, e.settings, e.distributions, q.id, q.body
FROM run r LEFT JOIN state s ON s.id = r.state LEFT JOIN environment e ON e.id = r.environment
LEFT JOIN sequence q ON q.id = r.sequence WHERE r.id = ?
""".replace("{run}", ", ".join(f"r.{name}" for name in NAMES))
_EXECUTIONS: Final = """
SELECT test, attempt, outcome, durations, reason, worker, output FROM execution WHERE run = ?
"""
_FAILURES: Final = """
SELECT f.test, f.attempt, f.phase, f.subtest, f.facts, c.id, c.signature, c.signature_version,
  c.exception, c.text
FROM failure f LEFT JOIN failure_text c ON c.id = f.failure_text WHERE f.run = ?
ORDER BY f.test, f.attempt, f.n
"""


class WrongError(Exception):
    """Something is not as we write it; says what."""


class Suite:
    """What the runs of one suite share."""

    def __init__(self, order: list[int], shared: Shared):
        self.tests = order
        self.projects = {shared.tests[test][0] for test in order}
        self.place = {test: place for place, test in enumerate(order)}
        rank = {test: rank for rank, test in enumerate(sorted(order))}
        ranks = [rank[test] for test in order]
        self._outcomes = _picker(ranks)
        self._durations = _picker([3 * rank + phase for rank in ranks for phase in range(3)])
        names = b"".join([shared.tests[test][2] for test in order])
        self.field = b"l%d:%b" % (len(names), names)

    def outcomes(self, packed: str) -> str:
        """In order of collection."""
        if not set(packed) <= _LETTERS:
            raise WrongError("an outcome is unknown")
        if len(packed) == 1:
            return packed * len(self.tests)
        if len(packed) != len(self.tests):
            raise WrongError("it has too many or too few outcomes")
        return "".join(self._outcomes(packed))

    def durations(self, packed: str) -> str:
        """In order of collection, joined by commas."""
        body = packed[1:-1]
        if packed != f"[{body}]":
            raise WrongError("its durations are malformed")
        if not self.tests and not body:
            return ""
        if not _numbers(body):
            raise WrongError("its durations are malformed")
        numbers = body.split(",")
        if len(numbers) != 3 * len(self.tests):
            raise WrongError("it has too many or too few durations")
        return ",".join(self._durations(numbers))


def _numbers(text: str) -> bool:
    """Whether a text is decimal numbers without leading zeros, joined by commas."""
    rest = text.encode("ascii", "replace").translate(None, b"0123456789,")
    bounded = f",{text},"
    return not rest and ",," not in bounded and not _LEADING_ZERO.search(bounded)


def _picker(places: list[int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """Picks the members at these places, quickly."""
    if len(places) < 2:
        return lambda members: [members[place] for place in places]
    return itemgetter(*places)


def run_hash(name: str, suite: Suite, shared: Shared) -> tuple[str, str]:
    """The content hash of a staged run, and what it says itself that it is.

    WrongError, or any other of malformed data, if it is not written as we write it.
    """
    (row,) = shared.rows(_RUN, name)
    run = dict(zip(NAMES, row, strict=False))
    state, environment, (sequence, order) = row[-9:-6], row[-6:-2], row[-2:]
    _check_head(run)
    _check_parts(
        run, {"state": state[0], "environment": environment[0], "sequence": sequence}, suite, shared
    )
    size = len(suite.tests)
    if order is not None and any(place >= size for one in canonical_json(order) for place in one):
        raise WrongError("its order names tests that are not there")
    whole = hashlib.sha256(
        b"".join(
            [
                *(b"s3:run", encode(run["version"]), text_field(run["id"])),
                encode(shared.identities[run["project"]]),
                *(_FIELDS[column.form](run[column.name]) for column in HASHED.values()),
                _mapping(run["seen"]),
                *map(text_field, (*state, run["listing"], *environment)),
            ]
        )
    )
    whole.update(suite.field)
    for part in (suite.outcomes(run["outcomes"]), suite.durations(run["durations"]), order):
        whole.update(text_field(part))
    executions = b"".join(_executions(run["id"], suite, shared))
    whole.update(b"l%d:%b" % (len(executions), executions))
    return whole.hexdigest(), run["content_hash"]


def _check_head(run: Mapping[str, Any]) -> None:
    if run["version"] != content.RECORD_VERSION:
        raise WrongError("it was recorded by another version")
    if not RUN_ID.fullmatch(run["id"]) or type(run["started"]) is not int:
        raise WrongError("its id or start is malformed")
    if any(name and not _COMMIT.fullmatch(name) for name in (run["commit_id"], run["tree"])):
        raise WrongError("its commit or tree is malformed")


def _check_parts(
    run: Mapping[str, Any], parts: Mapping[str, str | None], suite: Suite, shared: Shared
) -> None:
    """``parts`` are the keys of what was found by the run's own."""
    if any(run[table] != found for table, found in parts.items()):
        raise WrongError("a part of it is missing")
    for part in parts.items():
        if part in shared.bad:
            raise WrongError(f"its {part[0]} is not what its id says")
    if ("listing", run["listing"]) in shared.bad:
        raise WrongError("its files are not what their id says")
    if suite.projects - {run["project"]}:
        raise WrongError("its tests belong to another project")


def _mapping(text: str | None) -> bytes:
    if text is None:
        return b"s2:{}"
    if not isinstance(canonical_json(text), dict):
        raise WrongError("a part of it is no mapping")
    return text_field(text)


#: A stored value as a field of the hash.
_FIELDS: Final[dict[Form, Callable[[Any], bytes]]] = {
    Form.PLAIN: encode,
    Form.TEXT: text_field,
    Form.FLAG: lambda value: encode(None if value is None else bool(value)),
    Form.WORD: lambda value: text_field(Completeness(value)),
    Form.MAPPING: _mapping,
}


def _list(*members: bytes) -> bytes:
    body = b"".join(members)
    return b"l%d:%b" % (len(body), body)


def _executions(run: str, suite: Suite, shared: Shared) -> list[bytes]:
    rows = shared.rows(_EXECUTIONS, run)
    if not rows:
        return []
    failures: dict[tuple[int, int], list[bytes]] = defaultdict(list)
    for test, attempt, phase, subtest, facts, name, *said in shared.rows(_FAILURES, run):
        if name is None or ("failure_text", name) in shared.bad:
            raise WrongError("a failure is not what its id says")
        if phase not in _PHASES:
            raise WrongError("a phase is unknown")
        signature, version, exception, text = said
        failures[test, attempt].append(
            _list(
                text_field(phase),
                text_field(subtest),
                _mapping(facts),
                text_field(signature),
                encode(version),
                text_field(exception),
                text_field(text),
            )
        )
    shared.need_tests(row[0] for row in rows)
    beyond = len(suite.tests)

    def place(row: tuple[Any, ...]) -> tuple[int, str, int]:
        return suite.place.get(row[0], beyond), unstorable(shared.tests[row[0]][1]), row[1]

    rows.sort(key=place)
    made = []
    for test, attempt, outcome, durations, reason, worker, output in rows:
        if outcome not in _LETTERS:
            raise WrongError("an outcome is unknown")
        if durations is not None and not _TIMES.fullmatch(durations):
            raise WrongError("an execution's durations are malformed")
        times = ["null"] * 3 if durations is None else durations[1:-1].split(",")
        made.append(
            _list(
                shared.tests[test][2],
                encode(attempt),
                text_field(outcome),
                _list(
                    *(b"n0:" if t == "null" else b"i%d:%b" % (len(t), t.encode()) for t in times)
                ),
                *map(text_field, (reason, worker, output)),
                _list(*failures.pop((test, attempt), ())),
            )
        )
    if failures:
        raise WrongError("a failure belongs to no execution")
    return made
