"""How the cost of a history on a server grows with its length: a year of a busy project.

    python -m tests.benchmarks.scale [--tests N] [--runs N ...] [--into docs/figures]

Without options it takes about a minute.  Figures go to the standard output as Markdown tables,
progress to the standard error; README.md beside this file tells what is simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.history.lines import say
from tests.benchmarks.scale.filling import filled
from tests.benchmarks.scale.measures import KEEP, measured
from tests.benchmarks.scale.measuring import Bench
from tests.benchmarks.scale.plot import svg
from tests.benchmarks.scale.project import Size, simulated
from tests.benchmarks.scale.tables import tables
from tests.postgres.server import running_server

__all__ = ["main"]

NAME: Final = "scale"
#: What somebody would give a server of this size; saved runs may be lost if it crashes.
SETTINGS: Final = {"shared_buffers": "512MB", "max_wal_size": "4GB", "synchronous_commit": "off"}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tests", type=int, default=1000, help="of the project (1000)")
    parser.add_argument(
        "--runs",
        type=int,
        nargs="+",
        default=[30, 100],
        metavar="N",
        help="measure after so many runs (30 100)",
    )
    parser.add_argument("--machines", type=int, default=100, help="that run them (100)")
    parser.add_argument("--days", type=int, default=365, help="that the runs are spread over (365)")
    parser.add_argument("--rounds", type=int, default=2, help="of what is short (2)")
    parser.add_argument(
        "--clones",
        type=int,
        nargs="*",
        default=[30, 60, 90, KEEP],
        metavar="DAYS",
        help="clone the newest so many days (30 60 90 %(const)s)".replace("%(const)s", str(KEEP)),
    )
    parser.add_argument(
        "--delay", type=float, default=50.0, help="of a round trip over the slow line, ms (50)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--within", type=Path, metavar="FOLDER", help="for the database and copies of it"
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="write the picture and its numbers there"
    )
    parser.add_argument(
        "--from",
        dest="known",
        type=Path,
        metavar="FILE",
        help="measure nothing: show the numbers in this file",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and report."""
    options = _options(arguments)
    if options.known is None:
        found = _measure(options)
    else:
        found = json.loads(options.known.read_text("utf-8"))
    say("")
    print(tables(found))
    if options.into is not None:
        options.into.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=1) + "\n"
        (options.into / f"{NAME}.json").write_text(text, "utf-8")
        (options.into / f"{NAME}.svg").write_text(svg(found), "utf-8")
    return 0


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    size = Size(options.tests, max(options.runs), options.machines, options.days, options.seed)
    steps = []
    with (
        running_server(within=options.within, more=SETTINGS) as server,
        tempfile.TemporaryDirectory(dir=options.within) as name,
    ):
        bench = Bench(server, server.create_database(), options.delay / 1000)
        for length, saving, copy in filled(bench, size, options.runs):
            mine = Bench(server, copy, bench.delay)
            figures = measured(
                mine,
                simulated(size, length),
                Path(name),
                rounds=options.rounds,
                days=tuple(options.clones),
            )
            steps.append({"runs": length, "saving": saving, **figures})
            server.drop_database(copy)
        server.drop_database(bench.database)
    # Costs become lists there, as in what was written before.
    found: dict[str, Any] = json.loads(json.dumps({"size": size._asdict(), "steps": steps}))
    return found


if __name__ == "__main__":
    sys.exit(main())
