"""Whether we see what coverage.py sees: functions per test, on a real project's suite.

    python -m tests.benchmarks.tracing.agreement PROJECT [PYTEST ARGUMENT ...]

Runs the suite twice: with pytest-cov and a context per test, then watched with every function
changed.  A function counts as executed by a test where coverage saw a line of its body; those
without a line of their own (``def f(): ...``, a docstring alone) are left out, as coverage cannot
tell their call from their definition.  Prints how many pairs of test and function agree, and
those that do not: a generator that is left to the garbage collector is closed in whichever test
it runs, which differs from run to run.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from pathlib import Path

from flakefighters.tracing import FileWatch, Watch
from tests.benchmarks.tracing.suites import Suite, functions_of, run

Pairs = set[tuple[str, str, str]]


def by_coverage(suite: Suite) -> Pairs:
    """(test, path, function) by coverage's contexts; tests without their parameters' phases."""
    from coverage import CoverageData

    with tempfile.TemporaryDirectory() as folder:
        os.environ["COVERAGE_FILE"] = str(Path(folder, "data"))
        os.environ["COVERAGE_CORE"] = "ctrace"
        options = (f"--cov={suite.path}", "--cov-context=test", "--cov-report=")
        run(suite, None, "-p", "pytest_cov", *options, "--cov-config=/dev/null")
        data = CoverageData(basename=os.environ["COVERAGE_FILE"])
        data.read()
        pairs: Pairs = set()
        for path in suite.files():
            lines = data.contexts_by_lineno(str(path))
            for span in functions_of(path):
                for line in body_lines(path)[span.name, span.first_line]:
                    for context in lines.get(line, ()):
                        if "|" in context:
                            test = context.rpartition("|")[0]
                            pairs.add((test, path.relative_to(suite.path).as_posix(), span.name))
    return pairs


_bodies: dict[Path, dict[tuple[str, int], set[int]]] = {}


def body_lines(path: Path) -> dict[tuple[str, int], set[int]]:
    """Lines of each function's own code, by name and first line; not those of its header."""
    if path not in _bodies:
        found: dict[tuple[str, int], set[int]] = defaultdict(set)
        pending = [compile(path.read_bytes(), str(path), "exec", dont_inherit=True)]
        spans = functions_of(path)
        while pending:
            code = pending.pop()
            lines = {line for _, _, line in code.co_lines() if line}
            if code.co_name != "<module>":
                for span in spans:
                    if span.first_line <= code.co_firstlineno <= span.last_line:
                        found[span.name, span.first_line] |= lines - {code.co_firstlineno}
            pending += [c for c in code.co_consts if isinstance(c, type(code))]
        _bodies[path] = found
    return _bodies[path]


def by_us(suite: Suite) -> Pairs:
    """(test, path, function) as a session tells."""
    files = {str(path): FileWatch(functions_of(path)) for path in suite.files()}
    watch = Watch(base=str(suite.path), files=files)
    found = run(suite, watch, everything_told=True).found
    return {
        (test, path, unit)
        for test, reports in found["tests"].items()
        for report in reports
        for path, unit in report.get("units", ())
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
        (file.relative_to(path).as_posix(), name)
        for file in suite.files()
        for (name, _), lines in body_lines(file).items()
        if lines
    }
    ours = {pair for pair in ours if pair[1:] in comparable}
    print(f"{suite.name}: {len(theirs & ours)} pairs of test and function agree")
    for name, only in (("coverage", theirs - ours), ("flakefighters", ours - theirs)):
        tests: dict[tuple[str, str], list[str]] = defaultdict(list)
        for test, file, function in only:
            tests[file, function].append(test)
        print(f"only {name}: {len(only)}")
        for (file, function), names in sorted(tests.items()):
            print(f"    {file} {function}: {len(names)} tests, {min(names)}")


if __name__ == "__main__":
    main()
