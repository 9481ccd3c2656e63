"""Keys and hashes of content: what makes two records of a fact the same one.

A run's ``content_hash`` is the SHA-256 of these fields in this order, each with its length as
``flakefighters/ids.py`` describes (NULL is a field of its own kind; JSON is hashed as its text,
keys sorted, without blanks; times in µs):

1. the word ``run``, the recipe's version (1), the run's id, the project's identity;
2. started, ended, clock offset, build, job, shard, attempt, commit, tree, branch, base branch,
   pull request, dirty, completeness;
3. the JSON of selection, origin, context, extra, seen;
4. the state: id, tree, digest, and the id of the listing of its files (NULL for each if absent);
5. the environment: id, key, JSON of settings, JSON of distributions (NULL for each if absent);
6. the node ids in order of collection, as a list;
7. the outcomes in order of collection, one character per test, as one text;
8. the durations in order of collection, as decimal numbers joined by commas, as one text;
9. JSON of the order of start (NULL: as collected);
10. a list of the executions in order of the test's place in the collection (those of tests that
    were not collected last, by node id), then attempt.  Each is a list: node id, attempt, outcome,
    list of durations, reason, worker, output, list of failures.  Each failure is a list: phase,
    subtest, JSON of facts, signature, signature version, exception, text.

When and how a run reached a database, the trust given to it, the project's label, and the form in
which a database stores it (what a suite or listing is relative to) are outside of the hash.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flakefighters.history.run_columns import HASHED, OF_HEAD, Form
from flakefighters.ids import h64, h64_each, h128, h256, storable, unstorable

if TYPE_CHECKING:
    from flakefighters.model import Environment, Execution, Failure, Run, Verdict

__all__ = [
    "RECORD_VERSION",
    "canonical",
    "content_hash",
    "environment_keys",
    "evidence_id",
    "failure_text_id",
    "from_json",
    "listing_id",
    "listing_of",
    "masked",
    "normal",
    "project_id",
    "sequence_id",
    "state_key",
    "suite_id",
    "test_ids",
    "to_json",
    "verdict_id",
]

_MAPPINGS: Final = tuple(field for field, column in OF_HEAD.items() if column.form is Form.MAPPING)
#: Recipe of the content hash.
RECORD_VERSION: Final = 1

_dumps = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=str
).encode
_loads = json.loads


# -- JSON ------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """The value as JSON can hold it, every text storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        members = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return [_plain(member) for member in members]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return storable(str(value))


def _rich(value: Any) -> Any:
    if isinstance(value, str):
        return unstorable(value)
    if isinstance(value, dict):
        return {unstorable(key): _rich(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_rich(member) for member in value]
    return value


def to_json(value: Any) -> str:
    """JSON text without blanks, keys sorted, storable in both databases."""
    return _dumps(_plain(value))


def from_json(text: str) -> Any:
    """The inverse of :func:`to_json` (tuples come back as lists)."""
    value = _loads(text)
    # The mark of an escaped character is a control character, which JSON writes as an escape.
    return _rich(value) if "\\u0011" in text else value


def canonical(value: Any) -> Any:
    """The value as it comes back from a database."""
    return from_json(to_json(value))


# -- Keys ------------------------------------------------------------------------------------


def project_id(identity: str) -> int:
    return h64("project", identity)


def test_ids(identity: str, nodeids: Sequence[str]) -> list[int]:
    """The id of each of these tests."""
    return h64_each(("test", identity), nodeids)


def suite_id(tests: Sequence[int]) -> str:
    """The id of the suite of these tests in this order."""
    return h128("suite", ",".join(map(str, tests)))


def listing_id(files: Mapping[str, str]) -> str:
    return h128("listing", files)


def listing_of(run: Run) -> str | None:
    """The id of the files of a run's state, None if they are not known."""
    return None if run.state is None or run.state.files is None else listing_id(run.state.files)


def sequence_id(body: str) -> str:
    return h128("sequence", body)


def failure_text_id(failure: Failure) -> str:
    return h128(
        "failure",
        failure.signature,
        failure.signature_version,
        failure.exception,
        failure.text,
    )


def evidence_id(body: str) -> str:
    return h128("evidence", body)


def verdict_id(verdict: Verdict, test: int, evidence: str | None) -> str:
    return h128(
        "verdict",
        verdict.run,
        test,
        verdict.attempt,
        verdict.index,
        verdict.fighter,
        verdict.version,
        str(verdict.label),
        str(verdict.confidence),
        verdict.introduced,
        verdict.reason,
        evidence,
        verdict.at,
    )


# Parts of a node id that differ from run to run: addresses, UUIDs, dates with times, temporary
# folders of pytest.  Long hexadecimal numbers without a prefix are left alone: they may be data.
_UNSTABLE: Final = (
    r"0x[0-9a-fA-F]{6,16}\b"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|/tmp/[\w./-]+|pytest-of-\w+(?:/[\w./-]+)?"
)


def masked(nodeid: str) -> str | None:
    """The node id with unstable parts replaced by ``*``; None if it has none."""
    name, bracket, parameters = nodeid.partition("[")
    if not bracket:
        return None
    stable = re.sub(_UNSTABLE, "*", parameters)
    return None if stable == parameters else name + bracket + stable


def state_key(tree: str | None, digest: str | None) -> str:
    """The id that a state with this content must have."""
    return h128("state", tree, digest)


def environment_keys(environment: Environment) -> tuple[str, str]:
    """The id and the key that an environment with this content must have."""
    settings, distributions = environment.settings, environment.distributions
    return h128("environment", settings, distributions), h128("environment key", settings)


# -- Runs ------------------------------------------------------------------------------------


def normal(run: Run) -> Run:
    """The run in the one form that is stored, hashed and loaded.

    Duplicate node ids keep their first place, sequences become tuples, JSON values become what
    JSON gives back, executions stand in order of collection and attempt, and the head agrees
    with state, environment and project.  ValueError if the parts do not fit together.
    """
    size = len(run.suite)
    if len(run.outcomes) != size or len(run.durations) != 3 * size:
        raise ValueError(
            f"a run of {size} tests has {len(run.outcomes)} outcomes "
            f"and {len(run.durations)} durations"
        )
    run = _without_duplicates(run)
    place = {nodeid: index for index, nodeid in enumerate(run.suite)}
    executions = sorted(
        run.executions, key=lambda e: (place.get(e.nodeid, len(place)), e.nodeid, e.attempt)
    )
    head = run.head._replace(
        project=run.project.identity,
        state=run.state.id if run.state else None,
        environment=run.environment.id if run.environment else None,
        environment_key=run.environment.key if run.environment else None,
        **{field: canonical(getattr(run.head, field)) for field in _MAPPINGS},
    )
    environment = run.environment and run.environment._replace(
        settings=canonical(run.environment.settings),
        distributions=canonical(run.environment.distributions),
    )
    return run._replace(
        head=head,
        environment=environment,
        suite=tuple(run.suite),
        durations=tuple(run.durations),
        order=None if run.order is None else tuple(map(tuple, run.order)),
        executions=tuple(map(_normal_execution, executions)),
        seen=canonical(run.seen),
    )


def _without_duplicates(run: Run) -> Run:
    """The run in which each node id keeps its first place only."""
    place: dict[str, int] = {}
    for index, nodeid in enumerate(run.suite):
        place.setdefault(nodeid, index)
    if len(place) == len(run.suite):
        return run
    kept = list(place.values())
    renamed = {old: new for new, old in enumerate(kept)}
    order = run.order
    if order is not None:
        order = [[renamed[i] for i in worker if i in renamed] for worker in order]
    return run._replace(
        suite=[run.suite[index] for index in kept],
        outcomes="".join(run.outcomes[index] for index in kept),
        durations=[run.durations[3 * i + phase] for i in kept for phase in range(3)],
        order=order,
    )


def _normal_execution(execution: Execution) -> Execution:
    return execution._replace(
        failures=tuple(
            failure._replace(facts=canonical(failure.facts)) for failure in execution.failures
        ),
    )


def content_hash(run: Run, listing: str | None) -> str:
    """The hash of a run in :func:`normal` form; ``listing`` is the id of its state's files."""
    head, state, environment = run.head, run.state, run.environment
    return h256(
        "run",
        RECORD_VERSION,
        head.id,
        run.project.identity,
        *(_as_hashed(column.form, getattr(head, field)) for field, column in HASHED.items()),
        to_json(run.seen),
        state and state.id,
        state and state.tree,
        state and state.digest,
        listing,
        environment and environment.id,
        environment and environment.key,
        environment and to_json(environment.settings),
        environment and to_json(environment.distributions),
        run.suite,
        run.outcomes,
        ",".join(map(str, run.durations)),
        None if run.order is None else to_json(run.order),
        [_execution_fields(execution) for execution in run.executions],
    )


def _as_hashed(form: Form, value: Any) -> Any:
    """A field of the head as a field of the hash."""
    if form is Form.MAPPING:
        return to_json(value)
    return str(value) if form is Form.WORD else value


def _execution_fields(execution: Execution) -> list[Any]:
    return [
        execution.nodeid,
        execution.attempt,
        str(execution.outcome),
        execution.durations,
        execution.reason,
        execution.worker,
        execution.output,
        [
            [
                str(failure.phase),
                failure.subtest,
                to_json(failure.facts),
                failure.signature,
                failure.signature_version,
                failure.exception,
                failure.text,
            ]
            for failure in execution.failures
        ],
    ]
