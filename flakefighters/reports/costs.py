"""What each test cost: builds that it made red, and the machine time that went with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from flakefighters.model import Label, RunHead
from flakefighters.model.rows import FailureRow, TestRow
from flakefighters.records import record
from flakefighters.reports.verdicts import WORST

__all__ = ["Cost", "costs", "labels_of"]

#: Outcomes that make a run red.
_RED: Final = re.compile("[FE?]")


@record
class Cost:
    """Of one test; failures that were genuine cost nothing, for they tell something."""

    #: Builds in which it failed.
    builds: int = 0
    #: Those in which nothing else did.
    alone: int = 0
    #: Its part of the time of the runs in which it failed, µs: each run is shared by what failed.
    spent: int = 0


def labels_of(failures: Iterable[FailureRow]) -> dict[tuple[str, str], Label]:
    """The verdict on each test in each run: the worst on its last failing attempt."""
    found: dict[tuple[str, str], tuple[int, Label]] = {}
    for one in failures:
        if one.label is None:
            continue
        key = (one.run, one.nodeid)
        attempt, label = found.get(key, (0, one.label))
        if one.attempt > attempt:
            found[key] = one.attempt, one.label
        elif one.attempt == attempt:
            found[key] = attempt, min(label, one.label, key=WORST.index)
    return {key: label for key, (_, label) in found.items()}


def costs(
    runs: Sequence[RunHead],
    rows: Sequence[TestRow],
    labels: Mapping[tuple[str, str], Label],
) -> dict[str, Cost]:
    """By node id, of the tests that cost anything; ``rows`` have an outcome for each run."""
    red: dict[int, list[str]] = {}
    for row in rows:
        if row.failures:
            for found_at in _RED.finditer(row.outcomes):
                red.setdefault(found_at.start(), []).append(row.nodeid)
    of_build: dict[str, set[str]] = {}
    guilty: dict[str, set[str]] = {}
    found: dict[str, Cost] = {}
    for place, nodeids in red.items():
        head = runs[place]
        build = head.build or head.id
        of_build.setdefault(build, set()).update(nodeids)
        length = max(0, head.length or 0)
        for nodeid in nodeids:
            if labels.get((head.id, nodeid)) is not Label.GENUINE:
                guilty.setdefault(nodeid, set()).add(build)
                found.setdefault(nodeid, Cost()).spent += length // len(nodeids)
    for nodeid, builds in guilty.items():
        found[nodeid].builds = len(builds)
        found[nodeid].alone = sum(of_build[build] == {nodeid} for build in builds)
    return found
