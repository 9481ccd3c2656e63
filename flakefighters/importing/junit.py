"""JUnit XML files as runs."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flakefighters.importing.flavours import PER_CLASS, Exists, Flavour, flavour_of, told_of
from flakefighters.importing.parts import Bounds, ForeignReportError, Result, moment
from flakefighters.importing.runs import Found, digest_of
from flakefighters.importing.sources import Source
from flakefighters.importing.xml import Case, Part, Report, read_xml
from flakefighters.model import Outcome
from flakefighters.records import NamedTuple

__all__ = ["junit_runs"]

#: Attempts that came before the one the test case itself tells of, and those after it.
_BEFORE: Final = ("flakyFailure", "flakyError")
_AFTER: Final = ("rerunFailure", "rerunError")


class _Read(NamedTuple):
    source: Source
    report: Report
    flavour: Flavour
    digest: str


def junit_runs(
    sources: Iterable[Source],
    project: str,
    bounds: Bounds,
    refused: dict[str, str],
    exists: Exists = lambda _: False,
) -> Iterator[Found]:
    """The runs in these files; what cannot be read is added to ``refused``, by its name.

    A file is a run, except for runners that write one per class: there a folder is.
    """
    together: dict[str, list[_Read]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for source in sources:
        try:
            data = source.read()
            digest = hashlib.sha256(data).hexdigest()
            # A file of a folder that is a run belongs to each such folder.
            of_a_folder = source.file.startswith(PER_CLASS)
            key = (digest, source.folder if of_a_folder else "")
            if key in seen:
                continue
            seen.add(key)
            report = read_xml(data, bounds)
            read = _Read(source, report, flavour_of(report, source.file), digest)
            if read.flavour.together and of_a_folder:
                together[source.folder].append(read)
            else:
                yield _found([read], project, exists)
        except ForeignReportError as error:
            refused[source.name] = error.message
    for folder, reads in together.items():
        try:
            yield _found(reads, project, exists)
        except ForeignReportError as error:
            refused[folder] = error.message


def _found(reads: list[_Read], project: str, exists: Exists) -> Found:
    first = reads[0]
    results: list[Result] = []
    for read in reads:
        for case in read.report.cases:
            results += _results(case, read.flavour, exists)
    suites = [suite for read in reads for suite in (read.report.root, *read.report.suites)]
    times = [at for suite in suites if (at := moment(suite.get("timestamp"))) is not None]
    started = min(times, default=min(read.source.modified for read in reads))
    # Those of nested suites are part of the outer ones, which not all write.
    took = sum(result.microseconds for result in results)
    return Found(
        name=first.source.name if len(reads) == 1 else first.source.folder,
        digest=digest_of("junit", project, (read.digest for read in reads)),
        kind=f"JUnit ({first.flavour.name})" if first.flavour.name != "JUnit" else "JUnit",
        started=started,
        ended=min(started + took, (1 << 63) - 1),
        results=_merged(results, first.flavour),
    )


def _microseconds(text: str | None) -> int:
    try:
        seconds = float((text or "0").replace(",", ""))
    except ValueError:
        return 0
    return round(seconds * 1_000_000) if math.isfinite(seconds) and 0 <= seconds < 1e6 else 0


def _results(case: Case, flavour: Flavour, exists: Exists) -> Iterator[Result]:
    nodeid = flavour.nodeid(case, exists)[:10_000]
    spent = _microseconds(case.given.get("time"))
    kinds = defaultdict(list)
    for part in case.parts:
        kinds[part.kind].append(part)
    yield from _attempts(nodeid, kinds, _BEFORE, flavour)
    failures = tuple(told_of(part, flavour) for part in kinds["failure"])
    errors = tuple(told_of(part, flavour) for part in kinds["error"])
    if failures or errors:
        error = not failures and flavour.error_is_setup
        outcome = Outcome.ERROR if error else Outcome.FAILED
        yield Result(nodeid, outcome, spent, (*failures, *errors))
    elif kinds["skipped"]:
        part = kinds["skipped"][0]
        xfail = part.given.get("type") == "pytest.xfail"
        reason = part.given.get("message") or "".join(part.text).strip() or None
        yield Result(nodeid, Outcome.XFAILED if xfail else Outcome.SKIPPED, spent, (), reason)
    else:
        yield Result(nodeid, Outcome.PASSED, spent)
    yield from _attempts(nodeid, kinds, _AFTER, flavour)


def _attempts(
    nodeid: str, kinds: Mapping[str, list[Part]], wanted: Iterable[str], flavour: Flavour
) -> Iterator[Result]:
    """Further attempts that failed."""
    for kind in wanted:
        for part in kinds[kind]:
            yield Result(nodeid, Outcome.FAILED, 0, (told_of(part, flavour),))


def _merged(results: list[Result], flavour: Flavour) -> list[Result]:
    """pytest writes a second case for a tear-down that fails: it is of the same attempt."""
    if not flavour.error_is_setup:
        return results
    merged: dict[str, Result] = {}
    out: list[Result] = []
    for result in results:
        before = merged.get(result.nodeid)
        if before is not None and result.outcome is Outcome.ERROR:
            worse = before.outcome if before.outcome is Outcome.FAILED else Outcome.ERROR
            both = before._replace(outcome=worse, told=(*before.told, *result.told))
            out[max(at for at, one in enumerate(out) if one is before)] = both
            merged[result.nodeid] = both
        else:
            out.append(result)
            merged[result.nodeid] = result
    return out
