"""Which verdict stands on each failure: the newest joined one, of whatever run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.history.content import to_json
from flakefighters.history.database import Database
from flakefighters.model import JOINT, Label

__all__ = ["labels_by_test", "worst"]

_VERDICTS: Final = """
SELECT v.run, v.test, v.attempt, v.n, v.label FROM {s}verdict v
WHERE v.run IN {hash:runs} AND v.fighter = :joint
ORDER BY v.run, v.test, v.attempt, v.n, v.at, v.id
"""
_LABELS: Final = {label.value: label for label in Label}
#: The label that speaks for a test with several failures in one run.
_WORST: Final = (Label.GENUINE, Label.UNDECIDED, Label.FLAKY)


def labels_by_test(
    database: Database, runs: Sequence[str]
) -> dict[tuple[str, int], tuple[Label, ...]]:
    """The labels that stand on the failures of each test in each of these runs.

    Keys are run and test.  Of several attempts only the last one that failed counts, as on the
    terminal.
    """
    attempts: dict[tuple[str, int], int] = {}
    standing: dict[tuple[str, int], dict[int, Label]] = {}
    rows = database.query(_VERDICTS, runs=to_json(list(runs)), joint=JOINT)
    for run, test, attempt, index, word in rows:
        label = _LABELS.get(word)
        if label is None:
            continue
        if attempts.get((run, test)) != attempt:  # they come in ascending order
            attempts[run, test] = attempt
            standing[run, test] = {}
        standing[run, test][index] = label
    return {key: tuple(labels.values()) for key, labels in standing.items()}


def worst(labels: Mapping[Label, int] | Sequence[Label]) -> Label | None:
    """The label that counts for a test: genuine before undecided before flaky; None for none."""
    return next((label for label in _WORST if label in labels), None)
