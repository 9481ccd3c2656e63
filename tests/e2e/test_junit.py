"""Attempts in JUnit reports, as Maven Surefire writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.project import Project
from tests.e2e.test_reruns import SHAKY
from tests.requirements import need_module

#: What surefire-test-report.xsd allows in a test case, in its order; properties are pytest's.
PARTS = (
    *("properties", "failure", "rerunFailure", "flakyFailure", "skipped"),
    *("error", "rerunError", "flakyError", "system-out", "system-err"),
)
ATTEMPTS = ("rerunFailure", "flakyFailure", "rerunError", "flakyError")
#: Plugin, its switches, what a file needs at its top, and what marks a test.
MAKERS = {
    "rerunfailures": (["rerunfailures"], ["--reruns=2"], "", ""),
    "retry": (["pytest-retry"], ["--retries=2"], "", ""),
    "flaky": (
        ["flaky"],
        ["--no-flaky-report"],
        "from flaky import flaky",
        "@flaky(max_runs=3)",
    ),
}


def cases(path: Path) -> dict[str, list[ET.Element]]:
    """The test cases of a report by name, which are as Surefire has them."""
    found: dict[str, list[ET.Element]] = {}
    (suite,) = ET.parse(path).getroot()
    for case in suite.findall("testcase"):
        places = [PARTS.index(part.tag) for part in case]
        assert places == sorted(places)
        for part in case:
            if part.tag in ATTEMPTS:
                assert set(part.attrib) == {"message", "type"}
                assert next(one.tag for one in part) == "stackTrace"
                assert {one.tag for one in part} <= {"stackTrace", "system-out", "system-err"}
                assert part.find("stackTrace").text  # type: ignore[union-attr]
        found.setdefault(case.attrib["name"], []).append(case)
    return found


def parts(case: ET.Element) -> list[str]:
    return [part.tag for part in case if part.tag != "properties"]


def told(case: ET.Element) -> dict[str, str]:
    return {one.attrib["name"]: one.attrib["value"] for one in case.iter("property")}


def counts(path: Path) -> dict[str, str | None]:
    (suite,) = ET.parse(path).getroot()
    return {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["plain", "xdist"])
@pytest.mark.parametrize("maker", MAKERS)
def test_attempts(project: Project, maker: str, more: Sequence[str]) -> None:
    names, switches, head, mark = MAKERS[maker]
    need_module(
        {"rerunfailures": "pytest_rerunfailures", "retry": "pytest_retry"}.get(maker, maker)
    )
    plugins = [*names, *(["xdist"] if more else [])]
    if more:
        need_module("xdist")
    project.test(SHAKY.format(head=head, mark=mark).replace("== 3", "== 2"))
    project.pytest("--junitxml=bare.xml", *switches, *more, plugins=plugins, on=False, expect=1)
    for name in ("shaky", "setup"):
        (project.root / name).unlink(missing_ok=True)
    project.pytest("--junitxml=ours.xml", *switches, *more, plugins=plugins, expect=1)
    assert counts(project.root / "ours.xml") == counts(project.root / "bare.xml")
    found = {name: mine for name, (mine,) in cases(project.root / "ours.xml").items()}
    assert set(found) == {"test_shaky", "test_broken", "test_fine", "test_setup"}
    assert parts(found["test_fine"]) == []
    assert parts(found["test_shaky"]) == ["flakyFailure"]
    assert "assert 1 == 2" in found["test_shaky"][1].attrib["message"]
    assert told(found["test_shaky"])["flakefighters_verdict"] == "flaky"
    assert told(found["test_shaky"])["flakefighters_attempts"] == "failed, passed"
    assert told(found["test_shaky"])["dd_tags[flakefighters.verdict]"] == "flaky"
    repeated = parts(found["test_broken"])
    assert repeated[0] == "failure"
    assert set(repeated[1:]) == {"rerunFailure"}
    assert "failed, failed" in told(found["test_broken"])["flakefighters_attempts"]
    setup = ["error"] if maker == "retry" else ["flakyError"]  # which does not retry a setup
    assert parts(found["test_setup"]) == setup


@pytest.mark.parametrize("family", ["xunit1", "xunit2", "legacy"])
def test_families_and_output(project: Project, family: str) -> None:
    need_module("pytest_rerunfailures")
    project.test(
        """
        import pathlib

        def test_shaky():
            path = pathlib.Path("shaky")
            print("\\x1b[31m<printed> \\x00" if path.exists() else "before")
            path.write_text("x") if not path.exists() else path.write_text("xx")
            assert path.read_text() == "xx", "\\x1b not <yet> ]]>"
        """
    )
    ini = ("-o", f"junit_family={family}", "-o", "junit_logging=all")
    project.pytest("--reruns=2", "--junitxml=x.xml", *ini, plugins=["rerunfailures"], expect=0)
    ((case,),) = cases(project.root / "x.xml").values()
    assert parts(case) == ["flakyFailure", "system-out", "system-err"]
    attempt = case[1]
    assert "<yet> ]]>" in attempt.attrib["message"]
    assert attempt.attrib["type"] == "AssertionError"
    assert "before" in (attempt.findtext("system-out") or "")  # of this attempt
    assert "printed" in (case.findtext("system-out") or "")


def test_what_pytest_counts_stays(project: Project) -> None:
    """A file that is asked for twice is counted twice."""
    project.test("def test_a(): pass\ndef test_b(): assert 0\n")
    twice = ("test_it.py", "test_it.py", "--keep-duplicates", "--junitxml=x.xml")
    project.pytest(*twice, expect=1)
    assert counts(project.root / "x.xml")["tests"] == "4"
    found = cases(project.root / "x.xml")
    assert [parts(case) for case in found["test_a"]] == [[], []]
    assert [parts(case) for case in found["test_b"]] == [["failure"], ["failure"]]


def test_a_failure_and_an_error_after_reruns(project: Project) -> None:
    need_module("pytest_rerunfailures")
    project.test(
        """
        import pytest

        @pytest.fixture
        def bad():
            yield
            raise OSError("no")

        def test_both(bad): assert 0
        """
    )
    project.pytest("--reruns=1", "--junitxml=x.xml", plugins=["rerunfailures"], expect=1)
    first, second = cases(project.root / "x.xml")["test_both"]
    assert parts(first) == ["failure", "rerunFailure"]
    assert parts(second) == ["error"]


def test_an_attempt_that_passed_but_for_its_teardown(project: Project) -> None:
    """pytest has counted its call as a pass: both elements stay."""
    need_module("pytest_rerunfailures")
    project.test(
        """
        import pathlib
        import pytest

        @pytest.fixture
        def bad_end():
            yield
            path = pathlib.Path("end")
            path.write_text("x" if not path.exists() else "xx")
            assert path.read_text() == "xx"

        def test_end(bad_end): pass
        """
    )
    project.pytest("--reruns=1", "--junitxml=x.xml", plugins=["rerunfailures"], expect=0)
    assert counts(project.root / "x.xml")["tests"] == "2"
    first, second = cases(project.root / "x.xml")["test_end"]
    assert parts(first) == ["flakyError"]
    assert parts(second) == []


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["plain", "xdist"])
def test_what_cannot_be_collected(project: Project, more: Sequence[str]) -> None:
    if more:
        need_module("xdist")
    project.test("import nothing_of_that_name\n")
    plugins = ["xdist"] if more else []
    project.pytest("--junitxml=x.xml", *more, plugins=plugins)
    found = [told(case) for mine in cases(project.root / "x.xml").values() for case in mine]
    assert {one.get("flakefighters_verdict") for one in found} == {"undecided"}
