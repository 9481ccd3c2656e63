"""What a verdict that rests on trials looks like in pytest's own JUnit report."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.junitxml import LogXML, xml_key

from flakefighters.model import JOINT, Confidence, Label, Verdict
from flakefighters.reports.junit import Properties
from tests.history.made_runs import make_run

NODEID = "t.py::a"


def written(tmp_path: Any, *verdicts: Verdict) -> dict[str, str]:
    """The properties of a test that failed."""
    xml = LogXML(str(tmp_path / "x.xml"), None)
    option = SimpleNamespace(xmlpath="x.xml")
    properties = Properties(SimpleNamespace(option=option, stash={xml_key: xml}))
    steps: list[Any] = [("setup", "passed"), ("call", "failed"), ("teardown", "passed")]
    for when, outcome in steps:
        place = (NODEID, ("t.py", 1, "a"))
        report = pytest.TestReport(*place, {}, outcome, "E  oh", when)
        properties.seen(report, None)
        xml.pytest_runtest_logreport(report)
    properties.write(make_run({NODEID: "F"}), verdicts, str)
    (reporter,) = xml.node_reporters_ordered
    return {one.attrib["name"]: one.attrib["value"] for one in reporter.to_xml().iter("property")}


def verdict(label: Label, evidence: dict[str, Any], **more: Any) -> Verdict:
    more = {"fighter": JOINT, "version": 1, "confidence": Confidence.PROVED, **more}
    return Verdict(label=label, reason="so it is\x00", evidence=evidence, nodeid=NODEID, **more)


def test_trials(tmp_path: Any) -> None:
    trials = [{"arm": "alone", "result": "passed"}, {"arm": "before", "result": "failed alike"}]
    told = written(tmp_path, verdict(Label.FLAKY, {"by": "trial", "trials": trials}))
    assert told["flakefighters_trials"] == "alone: passed; before: failed alike"
    assert told["flakefighters_confidence"] == "proved"
    assert told["flakefighters_reason"] == told["dd_tags[flakefighters.reason]"] == "so it is?"
    assert "flakefighters_introduced" not in told


@pytest.mark.parametrize("trials", [None, 3, [1, "alone"], {"alone": 1}])
def test_what_only_looks_like_trials(tmp_path: Any, trials: Any) -> None:
    told = written(tmp_path, verdict(Label.FLAKY, {"trials": trials}, introduced=True))
    assert told["flakefighters_introduced"] == "true"
    assert told["dd_tags[flakefighters.verdict]"] == "flaky"
    assert "flakefighters_trials" not in told


def test_the_worst_verdict_speaks(tmp_path: Any) -> None:
    told = written(
        tmp_path, *(verdict(label, {}, index=i) for i, label in enumerate([*Label, Label.FLAKY]))
    )
    assert told["flakefighters_verdict"] == "genuine"
