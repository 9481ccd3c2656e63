"""Whether we see what coverage.py sees: functions per test, on a real project's suite.

    python -m tests.benchmarks.tracing.agreement PROJECT [PYTEST ARGUMENT ...]

Runs the suite twice: with pytest-cov and a context per test, then watched.  A function counts as
executed by a test where coverage saw a line of its body; those without a line of their own
(``def f(): ...``, a docstring alone) are left out, as coverage cannot tell their call from their
definition.  Prints how many pairs of test and function agree, and those that do not: a generator
that is left to the garbage collector is closed in whichever test it runs, which differs from run
to run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from flakefighters.model import Watch
from flakefighters.tracing.wire import read_all
from tests.benchmarks.tracing.suites import Suite, run

#: (test, path, name of the function, its first line)
Pairs = set[tuple[str, str, str, int]]


def functions_of(path: Path) -> Iterator[tuple[str, int, set[int]]]:
    """Name, first line and lines of each function in a file, without those of its header."""
    try:
        pending = [compile(path.read_bytes(), str(path), "exec", dont_inherit=True)]
    except SyntaxError:
        return
    while pending:
        code = pending.pop()
        lines = {line for _, _, line in code.co_lines() if line} - {code.co_firstlineno}
        if code.co_flags & 1 and lines and not code.co_name.startswith("<"):
            yield code.co_qualname, code.co_firstlineno, lines
        pending += [c for c in code.co_consts if isinstance(c, type(code))]


def by_coverage(suite: Suite) -> Pairs:
    """By coverage's contexts; tests without their phases."""
    from coverage import CoverageData

    with tempfile.TemporaryDirectory() as folder:
        os.environ["COVERAGE_FILE"] = str(Path(folder, "data"))
        os.environ["COVERAGE_CORE"] = "ctrace"
        options = (f"--cov={suite.path}", "--cov-context=test", "--cov-report=")
        run(suite, None, "-p", "pytest_cov", *options, "--cov-config=/dev/null")
        data = CoverageData(basename=os.environ["COVERAGE_FILE"])
        data.read()
        return {
            (context.rpartition("|")[0], path.relative_to(suite.path).as_posix(), name, first)
            for path in suite.files()
            for contexts in [data.contexts_by_lineno(str(path))]
            for name, first, lines in functions_of(path)
            for line in lines
            for context in contexts.get(line, ())
            if "|" in context
        }


def by_us(suite: Suite) -> Pairs:
    """As a session tells."""
    watch = Watch(base=str(suite.path), changed=frozenset({"anything"}))
    results = run(suite, watch, everything_told=True).found["results"]
    traces = read_all(one["raw"] for one in results)
    return {
        (one["nodeid"], *code)
        for one, trace in zip(results, traces, strict=True)
        for code in trace.ran
    }


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    path = options.project.resolve()
    suite = Suite(path.name, path, tuple(options.arguments))
    theirs, ours = by_coverage(suite), by_us(suite)
    comparable = {
        (file.relative_to(path).as_posix(), name, first)
        for file in suite.files()
        for name, first, _ in functions_of(file)
    }
    ours = {pair for pair in ours if pair[1:] in comparable}
    print(f"{suite.name}: {len(theirs & ours)} pairs of test and function agree")
    for name, only in (("coverage", theirs - ours), ("flakefighters", ours - theirs)):
        tests: dict[tuple[str, str], list[str]] = defaultdict(list)
        for test, file, function, _ in only:
            tests[file, function].append(test)
        print(f"only {name}: {len(only)}")
        for (file, function), names in sorted(tests.items()):
            print(f"    {file} {function}: {len(names)} tests, {min(names)}")


if __name__ == "__main__":
    main()
