"""What is left of a run when a failure's signature was purged: a pure function.

Each history makes the same of the same run, in whatever order tombstones arrive.
So two histories still agree: the run is hashed anew, and says in ``extra`` which hash it had when
it was recorded.  A purged failure keeps its place, phase and exception, and so do the verdicts on
it; what they say is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flakefighters.history import content
from flakefighters.ids import h128

if TYPE_CHECKING:
    from flakefighters.model import Execution, Failure, Run, Verdict

__all__ = [
    "ORIGIN",
    "PLACEHOLDER",
    "is_purged",
    "purged_execution",
    "purged_run",
    "purged_verdicts",
    "signature_id",
]

#: Stands for a text that was purged.
PLACEHOLDER: Final = "<purged>"
#: The key in ``extra``: the content hash with which the run was recorded.
ORIGIN: Final = "purged_from"


def signature_id(signature: str) -> str:
    """What a signature is called: its text may be the very secret that is to be purged."""
    return h128("signature", signature)


def is_purged(signature: str, names: Collection[str]) -> bool:
    """Whether a signature is one of these, or what is left of one."""
    return signature.startswith(PLACEHOLDER) or (
        signature != "" and signature_id(signature) in names
    )


def purged_run(run: Run, names: Collection[str]) -> Run:
    """The run without what failures with these signatures say; the same object if it has none.

    ``run`` must be in normal form (``content.normal``).
    """
    tests = _tests(run.executions, names)
    if not tests:
        return run
    made = run._replace(
        executions=tuple(
            purged_execution(one, names) if one.nodeid in tests else one for one in run.executions
        ),
    )
    if made == run:
        return run
    extra = {ORIGIN: origin_of(run), **run.head.extra}
    return made._replace(head=run.head._replace(extra=extra))


def origin_of(run: Run) -> str:
    """The content hash with which a run was recorded, whatever was purged of it since."""
    said = run.head.extra.get(ORIGIN)
    if isinstance(said, str):
        return said
    return content.content_hash(run, content.listing_of(run))


def _tests(executions: Iterable[Execution], names: Collection[str]) -> set[str]:
    return {
        one.nodeid
        for one in executions
        if any(is_purged(failure.signature, names) for failure in one.failures)
    }


def purged_execution(execution: Execution, names: Collection[str]) -> Execution:
    """An attempt at a test that had such a failure: other attempts may have said the same."""
    return execution._replace(
        failures=tuple(_failure(failure, names) for failure in execution.failures),
        reason=execution.reason and PLACEHOLDER,
        output=execution.output and PLACEHOLDER,
    )


def _failure(failure: Failure, names: Collection[str]) -> Failure:
    if failure.signature.startswith(PLACEHOLDER) or not is_purged(failure.signature, names):
        return failure
    return failure._replace(
        signature=f"{PLACEHOLDER} {signature_id(failure.signature)}",
        text=PLACEHOLDER,
        subtest=failure.subtest and PLACEHOLDER,
        facts={},
    )


def purged_verdicts(
    verdicts: Sequence[Verdict], names: Collection[str], marked: Collection[tuple[str, str]]
) -> list[Verdict]:
    """The verdicts without what they say of such failures.

    ``marked`` are run and node id of the tests that had one.
    """
    return [
        one._replace(reason=PLACEHOLDER, evidence={})
        if (one.run, one.nodeid) in marked or mentions(one.evidence, names)
        else one
        for one in verdicts
    ]


def marked_in(run: Run, names: Collection[str]) -> set[tuple[str, str]]:
    """Run and node id of the tests that had such a failure."""
    return {(run.head.id, nodeid) for nodeid in _tests(run.executions, names)}


def mentions(evidence: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether an evidence quotes such a signature."""
    return any(signature_id(text) in names for text in _texts(evidence))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield str(key)
            yield from _texts(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from _texts(member)
