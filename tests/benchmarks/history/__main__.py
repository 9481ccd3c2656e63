"""What a history costs: bytes, waiting, and copies of it.

    python -m tests.benchmarks.history [storage] [speed] [copies]

Without a word all three; ``--help`` lists the options, by which it can be made shorter.  A server
of its own is started (``FLAKEFIGHTERS_TEST_PG_BIN`` names other binaries) and filled with made
histories.  *storage* fills both databases and says where the bytes go.  *speed* connects, reads
what a session reads at its start and saves, through a proxy that holds everything back by half of
``--delay`` milliseconds each way.  *copies* clones a history beside ``pg_dump -Fc``, a loop over
SQLAlchemy's ORM and, if it is on the path, ``db-to-sqlite``; the ways are interleaved, times are
medians, and the ratio is of medians; *command* is ``flakefighters clone`` with the start of
Python, *room* the same without.  Figures go to the standard output as Markdown, progress to the
standard error.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.history.copies import copies
from tests.benchmarks.history.speed import speed
from tests.benchmarks.history.storage import storage
from tests.postgres.server import running_server

_PARTS = ("storage", "speed", "copies")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.history",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", choices=[*_PARTS, []], metavar="PART")
    parser.add_argument("--failing", type=float, default=0.01, help="share of tests")
    parser.add_argument("--text", type=int, default=3000, help="length of a traceback")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--delay", type=float, default=50.0, help="of a round trip, milliseconds")
    group = parser.add_argument_group("storage")
    group.add_argument("--stored-runs", type=int, default=50)
    group.add_argument("--stored-tests", type=int, default=20_000)
    group = parser.add_argument_group("speed")
    group.add_argument("--suites", type=int, nargs="+", default=[2000, 20_000], metavar="TESTS")
    group.add_argument("--lengths", type=int, nargs="+", default=[20, 200, 2000], metavar="RUNS")
    group.add_argument(
        "--most", type=int, default=4_000_000, help="no history of more results than that"
    )
    group = parser.add_argument_group("copies")
    group.add_argument("--runs", type=int, default=200)
    group.add_argument("--tests", type=int, default=2000)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    options = _options(arguments)
    parts = options.parts or _PARTS
    with running_server() as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "storage" in parts:
            storage(options, server, folder)
        if "speed" in parts:
            speed(options, server)
        if "copies" in parts:
            copies(options, server, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
