"""Our lines, and that pytest's own stay as they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest

from tests.e2e.project import Ended, Project
from tests.requirements import need_module

SUITE = """
    import warnings
    import pytest

    @pytest.fixture
    def bad():
        yield
        raise OSError("no")

    def test_pass(): pass
    def test_fail():
        print("captured")
        assert [1, 2] == [1, 3]
    def test_both(bad): assert 0
    def test_skip(): pytest.skip("because")
    @pytest.mark.xfail(reason="known")
    def test_xfail(): assert 0
    @pytest.mark.xfail
    def test_xpass(): pass
    def test_warning(): warnings.warn("careful")
    @pytest.mark.parametrize("text", ["é", "a b"])
    def test_text(text): assert text == "é"
    """


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-v", "-rA", "--durations=0", "--durations-min=5"],
        ["-q", "--color=yes", "--tb=short"],
        ["-qq"],
        ["--no-summary", "--tb=line"],
        ["--no-header", "-l", "-x"],
        ["-p", "no:terminal"],
    ],
    ids=" ".join,
)
def test_pytests_own_output(project: Project, options: Sequence[str]) -> None:
    """Byte for byte the same without our lines, times apart."""
    project.test(SUITE)
    bare = project.pytest(*options, "-p", "no:cacheprovider", on=False, expect=1)
    ended = project.pytest(*options, "-p", "no:cacheprovider", expect=1)
    assert ended.others == bare.others
    assert ended.err == bare.err
    assert bare.ours == []
    assert project.run().head.completeness is not None


def lines(ended: Ended) -> list[str]:
    return [line.partition(" - ")[0] for line in ended.ours]


def test_section(project: Project) -> None:
    project.test(SUITE)
    ended = project.pytest("--color=no", expect=1)
    id_ = project.run().head.id[-4:]
    assert lines(ended)[1:] == [
        "================================ flakefighters =================================",
        "UNDECIDED test_it.py::test_fail",
        "UNDECIDED test_it.py::test_both",
        "UNDECIDED test_it.py::test_both",
        "UNDECIDED test_it.py::test_text[a b]",
        f"4 undecided; run {id_} saved to local",
    ]
    assert ended.ours[0].startswith("flakefighters: profile local (default) -> sqlite:///")
    assert "[project " in ended.ours[0]
    # After pytest's short summary, before its last line.
    text = ended.out
    assert text.index("short test summary") < text.index("= flakefighters =")
    assert text.rstrip().splitlines()[-1].startswith("= 3 failed, ")
    coloured = project.pytest("--color=yes", expect=1)
    assert "\x1b[36mUNDECIDED\x1b[0m test_it.py::test_fail - " in coloured.out


def test_quiet(project: Project) -> None:
    project.test("def test_a(): pass\n")
    assert len(project.pytest("-q", expect=0).ours) == 1
    assert project.pytest("-qq", expect=0).ours == []
    assert len(project.runs()) == 2
    loud = project.pytest(expect=0)
    assert loud.ours[-1].startswith("flakefighters: no failures; run ")
    project.test("def test_a(): assert 0\n")
    ended = project.pytest("--no-summary", "--color=no", expect=1)
    assert ended.verdicts == []
    ended = project.pytest("-qq", "--color=no", expect=1)
    assert len(ended.verdicts) == 1
    assert len(project.runs()) == 5


def test_verdicts_with_evidence(project: Project) -> None:
    project.test("def test_a(): assert 0\n")
    ended = project.pytest("--flakefighters-verdicts", "--color=no", expect=1)
    assert any(line.startswith("    ") and "undecided" in line for line in ended.ours)


# -- JUnit -----------------------------------------------------------------------------------


def stripped(path: str) -> tuple[str, dict[str, list[str]]]:
    """A JUnit report without times and our properties; and those properties."""
    tree = ET.parse(path)
    told: dict[str, list[str]] = {}
    for element in tree.iter():
        for name in ("time", "timestamp", "hostname"):
            element.attrib.pop(name, None)
        for properties in list(element.findall("properties")):
            for one in list(properties):
                if one.get("name", "").startswith(("flakefighters_", "dd_tags[flakefighters.")):
                    key = f"{element.get('classname')}::{element.get('name')}"
                    told.setdefault(key, []).append(f"{one.get('name')}={one.get('value')}")
                    properties.remove(one)
            if len(properties) == 0:
                element.remove(properties)
    text = ET.tostring(tree.getroot(), encoding="unicode")
    return re.sub("0x[0-9a-f]+", "0x", text), told


@pytest.mark.parametrize("more", [[], ["-n2", "--dist=loadfile"]], ids=["plain", "xdist"])
def test_junit(project: Project, more: list[str]) -> None:
    plugins = []
    if more:
        need_module("xdist")
        plugins.append("xdist")
    project.write(
        {
            "sub/folder/test_it.py": SUITE
            + """
    def test_own(record_property):
        record_property("mine", "1")
        assert 0
    def test_setup(nothing_of_that_name): pass
    """,
        }
    )
    project.pytest("--junitxml=bare.xml", *more, plugins=plugins, on=False, expect=1)
    project.pytest("--junitxml=ours.xml", *more, plugins=plugins, expect=1)
    bare, none = stripped(str(project.root / "bare.xml"))
    with_us, told = stripped(str(project.root / "ours.xml"))
    assert with_us == bare
    assert none == {}
    name = "sub.folder.test_it::"
    assert sorted(told) == sorted(
        name + test
        for test in ("test_fail", "test_both", "test_text[a b]", "test_own", "test_setup")
    )
    for said in told.values():
        assert said[0] == "flakefighters_verdict=undecided"
        assert said[1].startswith("flakefighters_reason=")
    # -o junit_family, in old files too.
    project.pytest("--junitxml=old.xml", "-o", "junit_family=xunit1", expect=1)
    assert len(stripped(str(project.root / "old.xml"))[1]) == 5
