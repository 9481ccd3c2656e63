"""A run of the history as a JUnit file, in the dialect that ``reports/junit.py`` gives pytest's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from flakefighters.model import Execution, Outcome, Run, Verdict
from flakefighters.reports.junit import (
    attempt_element,
    first_line,
    properties,
    speaking,
    xml_safe,
)
from flakefighters.reports.words import iso

__all__ = ["run_junit"]

#: Of a unit of durations, in seconds.
_UNIT: Final = 1e-4
_SKIPPED: Final = {Outcome.SKIPPED: "pytest.skip", Outcome.XFAILED: "pytest.xfail"}


def run_junit(run: Run, verdicts: Sequence[Verdict]) -> str:
    """The file; tests that were not run have no case, as in pytest's own."""
    executions = run.by_test
    spoken = speaking(verdicts)
    suite = ET.Element("testsuite", name="pytest")
    tallies = {"errors": 0, "failures": 0, "skipped": 0, "tests": 0}
    for at, (nodeid, letter) in enumerate(zip(run.suite, run.outcomes, strict=True)):
        outcome = Outcome(letter)
        if outcome is Outcome.NOT_RUN:
            continue
        spent = sum(run.durations[3 * at : 3 * at + 3]) * _UNIT
        case = ET.SubElement(suite, "testcase", {**_address(nodeid), "time": f"{spent:.3f}"})
        attempts = executions.get(nodeid, [])
        _fill(case, outcome, attempts, spoken.get(nodeid))
        tallies["tests"] += 1
        for kind, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
            tallies[kind] += case.find(tag) is not None
    for name, number in tallies.items():
        suite.set(name, str(number))
    head = run.head
    suite.set("time", f"{(head.length or 0) / 1e6:.3f}")
    suite.set("timestamp", str(iso(head.started) or "1970-01-01T00:00:00.000000Z")[:-1] + "+00:00")
    root = ET.Element("testsuites", name="pytest tests")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _address(nodeid: str) -> dict[str, str]:
    """``classname`` and ``name`` as pytest writes them."""
    names, bracket, parameters = nodeid.partition("[")
    path, *rest = names.split("::")
    modules = path.removesuffix(".py").replace("/", ".")
    *classes, name = rest or [""]
    classname = ".".join(part for part in (modules, *classes) if rest or part)
    return {"classname": xml_safe(classname), "name": xml_safe(name + bracket + parameters)}


def _fill(
    case: ET.Element, outcome: Outcome, attempts: Sequence[Execution], verdict: Verdict | None
) -> None:
    told = list(properties(attempts, verdict))
    if told:
        group = ET.SubElement(case, "properties")
        for name, value in told:
            ET.SubElement(group, "property", name=name, value=xml_safe(value))
    last = attempts[-1] if attempts else None
    if outcome in _SKIPPED:
        reason = xml_safe((last and last.reason) or "")
        ET.SubElement(case, "skipped", type=_SKIPPED[outcome], message=reason)
    kind = "flaky" if outcome in (Outcome.MIXED, Outcome.PASSED, Outcome.XPASSED) else "rerun"
    for part in _own(outcome, last):
        case.append(part)
    case.extend(attempt_element(kind, one, None) for one in attempts[:-1] if one.failures)


def _own(outcome: Outcome, last: Execution | None) -> Iterator[ET.Element]:
    """What the last attempt says: pytest has an element for a failing call, one for the rest."""
    if outcome not in (Outcome.FAILED, Outcome.ERROR, Outcome.UNFINISHED):
        return
    failures = () if last is None else last.failures
    if not failures:
        reason = (last and last.reason) or outcome.word
        yield ET.Element("error", message=xml_safe(reason))
        return
    tag = "failure" if outcome is Outcome.FAILED else "error"
    said = first_line(failures[0].text) or failures[0].exception or outcome.word
    made = ET.Element(tag, message=xml_safe(said), type=xml_safe(failures[0].exception or ""))
    made.text = xml_safe("\n\n".join(one.text for one in failures))
    yield made
