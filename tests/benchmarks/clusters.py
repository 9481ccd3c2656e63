"""What it costs to cluster the tests of a run: ``python -m tests.benchmarks.clusters --help``.

Made coverages in two shapes.  *modules*: each test runs a core, and nearly all of one of a hundred
modules.  *alike*: all run the same but for a few units, so that each is near to each.  Fifty tests
fail.  Each shape is judged in a process of its own; CPU seconds and peak memory of it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from flakefighters.fighters.coverage_independence import CoverageIndependence
from flakefighters.model import Case, Coverage, Execution, Failure, Outcome, Phase, RunHead

_FAILING = 50
_MODULES = 100
_CORE = 60


def _modules(tests: int, units: int, chance: random.Random) -> Iterator[int]:
    size = (units - _CORE) // _MODULES
    for test in range(tests):
        bits = (1 << _CORE) - 1
        for place in range(size):
            if chance.random() < 0.95:
                bits |= 1 << (_CORE + test % _MODULES * size + place)
        yield bits


def _alike(tests: int, units: int, chance: random.Random) -> Iterator[int]:
    core = sum(1 << place for place in chance.sample(range(units), 300))
    for _ in range(tests):
        bits = core
        for _ in range(8):
            bits ^= 1 << chance.randrange(units)
        yield bits


SHAPES = {"modules": _modules, "alike": _alike}


def judge(shape: str, tests: int, units: int) -> dict[str, float]:
    """Judge fifty failures among these tests; what it took."""
    chance = random.Random(1)
    ran = {
        f"tests/test_{place % _MODULES}.py::test_{place}": bits
        for place, bits in enumerate(SHAPES[shape](tests, units, chance))
    }
    failed = chance.sample(list(ran), _FAILING)
    coverage = Coverage(
        ran=ran,
        units=tuple(f"src/part_{place}.py" for place in range(units)),
        failed=frozenset(failed),
    )
    fighter = CoverageIndependence()
    failure = Failure(phase=Phase.CALL)
    start = time.process_time()
    said = 0
    for nodeid in failed:
        execution = Execution(nodeid=nodeid, attempt=1, outcome=Outcome.FAILED, failures=(failure,))
        case = Case(
            head=RunHead(id="0" * 32, project="p", started=0),
            nodeid=nodeid,
            execution=execution,
            failure=failure,
            index=0,
            environment=None,
            coverage=coverage,
        )
        said += fighter.judge(case) is not None
    seconds = time.process_time() - start
    return {"seconds": round(seconds, 2), "megabytes": round(_peak()), "verdicts": said}


def _peak() -> float:
    """The most memory that this process had, in MB.

    Linux adds to the usual figure what the process had that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found is not None:
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(shape: str, tests: int, units: int) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--one", shape, str(tests), str(units)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print a row for each shape and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("SHAPE", "TESTS", "UNITS"))
    one = parser.parse_args().one
    if one is not None:
        print(json.dumps(judge(one[0], int(one[1]), int(one[2]))))
        return
    print("| shape | tests | units | CPU s | peak MB | verdicts |\n|---|---|---|---|---|---|")
    sizes = [("modules", 5_000, 2_000), ("modules", 5_000, 20_000), ("modules", 20_000, 10_000)]
    for shape, tests, units in [*sizes, ("alike", 1_900, 2_000), ("alike", 5_000, 2_000)]:
        row = measured(shape, tests, units)
        print(
            f"| {shape} | {tests:,} | {units:,} "
            f"| {row['seconds']} | {row['megabytes']:.0f} | {row['verdicts']} |"
        )


if __name__ == "__main__":
    main()
