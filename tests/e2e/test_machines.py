"""Reports for programs: our own JSON, and our sections in those of other plugins."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project
from tests.requirements import need_module

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "run.schema.json").read_text("utf-8")
)
#: Every kind of outcome.
KINDS = """
    import unittest
    import pytest

    @pytest.fixture
    def no_setup(): raise OSError("no setup")

    @pytest.fixture
    def no_teardown():
        yield
        raise OSError("no teardown")

    def test_pass(): pass
    def test_fail(): assert [1] == [2]
    def test_setup(no_setup): pass
    def test_teardown(no_teardown): pass
    def test_both(no_teardown): assert 0
    def test_skip(): pytest.skip("because")
    @pytest.mark.xfail(reason="known")
    def test_xfail(): assert 0
    @pytest.mark.xfail
    def test_xpass(): pass
    @pytest.mark.xfail(strict=True)
    def test_strict(): pass
    @pytest.mark.flakefighters(ignore=True)
    def test_ignored(): assert 0
    @pytest.mark.parametrize("text", ["<script>alert(1)</script>", "é"])
    def test_text(text): assert text == "<b>", "</td><script>alert(2)</script>"

    class TestIt(unittest.TestCase):
        def test_parts(self):
            for number in range(2):
                with self.subTest(number=number): self.assertTrue(number)
    """


def undocumented(value: Any, schema: dict[str, Any], place: str = "") -> Iterator[str]:
    """Keys of our own in a document that the schema does not know."""
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if isinstance(value, list):
        for one in value:
            yield from undocumented(one, schema.get("items", {}), place)
    elif isinstance(value, dict) and "properties" in schema:
        for name, one in value.items():
            if name not in schema["properties"]:
                yield f"{place}/{name}"
            else:
                yield from undocumented(one, schema["properties"][name], f"{place}/{name}")


def checked(path: Path) -> dict[str, Any]:
    """A document that is as the schema says."""
    need_module("jsonschema")
    jsonschema: Any = importlib.import_module("jsonschema")
    told: dict[str, Any] = json.loads(path.read_text("ascii"))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(told, SCHEMA)
    assert list(undocumented(told, SCHEMA)) == []
    return told


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["plain", "xdist"])
def test_the_json_of_a_run(project: Project, more: Sequence[str]) -> None:
    if more:
        need_module("xdist")
    project.init()
    project.test(KINDS)
    plugins = ["xdist"] if more else []
    # The folder is made.
    project.pytest("--flakefighters-json=out/of/run.json", *more, plugins=plugins, expect=1)
    told = checked(project.root / "out" / "of" / "run.json")
    run = project.run()
    assert told["run"]["id"] == run.head.id
    assert told["run"]["state"] == run.head.state
    assert told["run"]["environment_details"]["settings"]
    assert (told["saved"], told["exit_code"], told["profile"]["name"]) == (True, 1, "local")
    assert told["counts"]["tests"] == len(run.suite) == len(told["results"])
    failures = {
        (one["pytest_nodeid"], one["phase"], one["subtest"]): one for one in told["failures"]
    }
    assert len(failures) == len(told["failures"])
    given = [one["verdict"]["label"] for one in failures.values() if one["verdict"] is not None]
    assert sum(told["counts"]["verdicts"].values()) == len(given) == len(failures) - 1
    assert failures["test_it.py::test_ignored", "call", None]["verdict"] is None
    part = "(number=0)" if pytest.version_tuple >= (9, 0) else None  # which knows subtests
    assert ("test_it.py::TestIt::test_parts", "call", part) in failures
    failed = failures["test_it.py::test_fail", "call", None]
    assert (failed["exception"], failed["outcome"]) == ("AssertionError", "failed")
    assert failed["said"][0]["fighter"] != "joint"
    assert [one["outcome"] for one in failed["attempts"]] == ["failed"]
    assert [path.name for path in (project.root / "out" / "of").iterdir()] == ["run.json"]


def test_names_are_told_as_in_the_history_and_as_by_pytest(project: Project) -> None:
    project.init(project.root.parent)
    project.write({"pytest.ini": "[pytest]\n", "sub/test_it.py": "def test_a(): assert 0\n"})
    project.pytest("--flakefighters-json=run.json", "--junitxml=run.xml", expect=1)
    (failure,) = checked(project.root / "run.json")["failures"]
    assert failure["nodeid"] == "project/sub/test_it.py::test_a"
    assert failure["pytest_nodeid"] == "sub/test_it.py::test_a"
    assert "flakefighters_verdict" in (project.root / "run.xml").read_text()


def test_an_interrupted_run(project: Project) -> None:
    project.test("def test_a(): assert 0\ndef test_b(): raise KeyboardInterrupt\n")
    project.pytest("--flakefighters-json=run.json", expect=2)
    told = checked(project.root / "run.json")
    assert (told["run"]["completeness"], told["exit_code"]) == ("interrupted", 2)
    assert [one["nodeid"] for one in told["failures"]] == ["test_it.py::test_a"]


def test_what_was_watched_stays_out(project: Project) -> None:
    """A verdict has what it rests on; all that an execution touched is no part of the report."""
    project.init()
    test = "import shop\ndef test_a(): assert shop.rate() == 1\n"
    project.commit({"test_it.py": test, "shop.py": "def rate(): return 1\n"})
    project.pytest(expect=0)
    project.write({"shop.py": "def rate(): return 2\n"})
    project.pytest("--flakefighters-json=run.json", expect=1)
    (failure,) = checked(project.root / "run.json")["failures"]
    assert failure["verdict"]["label"] == "genuine"
    assert "trace" not in failure["facts"]


def test_attempts_and_earlier_runs_that_are_proved(project: Project) -> None:
    need_module("pytest_rerunfailures")
    project.init()
    project.commit()
    project.test(
        """
        import os, pathlib

        def test_shaky():
            path = pathlib.Path(os.environ["PLACE"])
            path.write_text(path.read_text() + "x" if path.exists() else "x")
            assert path.read_text() == "xxx"

        def test_first(): assert os.path.exists(os.environ["PLACE"])
        """
    )
    place = {"PLACE": str(project.home / "x")}
    json_ = "--flakefighters-json=flakefighters.json"
    plugins = ["rerunfailures"]
    project.pytest(json_, "-k", "first", plugins=plugins, env=place, expect=1)
    project.pytest(json_, "--reruns=2", plugins=plugins, env=place, expect=0)
    told = checked(project.root / "flakefighters.json")
    assert [one["attempt"] for one in told["failures"]] == [1, 2]
    assert [one["last"] for one in told["failures"]] == [False, True]
    assert {one["test_outcome"] for one in told["failures"]} == {"passed after reruns"}
    tries = [one["outcome"] for one in told["failures"][0]["attempts"]]
    assert tries == ["failed", "failed", "passed"]
    assert told["failures"][1]["verdict"]["confidence"] == "proved"
    assert [one["nodeid"] for one in told["proved_earlier"]] == ["test_it.py::test_first"]


def test_the_exit_code_is_the_last_one(project: Project) -> None:
    project.write(
        {
            "test_it.py": "def test_a(): pass\n",
            "conftest.py": """
                def pytest_sessionfinish(session): session.exitstatus = 9
                """,
        }
    )
    project.pytest("--flakefighters-json=run.json", expect=9)
    assert checked(project.root / "run.json")["exit_code"] == 9


@pytest.mark.parametrize(
    ("arguments", "code"), [((), 5), (("--no-flakefighters-save",), 1), (("-x", "-q"), 1)]
)
def test_other_ends(project: Project, arguments: Sequence[str], code: int) -> None:
    project.test("def test_a(): assert 0\ndef test_b(): pass\n" if arguments else "")
    project.pytest("--flakefighters-json=run.json", *arguments, expect=code)
    told = checked(project.root / "run.json")
    assert told["exit_code"] == code
    assert told["saved"] is ("-x" in arguments)
    assert len(told["failures"]) == bool(arguments)


def test_a_file_that_cannot_be_collected(project: Project) -> None:
    project.test("import nothing_of_that_name\n")
    project.pytest("--flakefighters-json=run.json", expect=2)
    (failure,) = checked(project.root / "run.json")["failures"]
    assert failure["facts"]["collection"] is True


def test_a_strange_world_is_left_behind(project: Project) -> None:
    need_module("freezegun")
    project.test(
        """
        import builtins, os, pathlib
        import freezegun

        def test_a():
            freezegun.freeze_time("1999-01-01").start()
            builtins.open = os.open = os.replace = pathlib.Path.open = None
            os.mkdir(os.environ["AWAY"])
            os.chdir(os.environ["AWAY"])
            os.rmdir(os.environ["AWAY"])
            assert 0
        """
    )
    away = {"AWAY": str(project.home / "away")}
    project.pytest("--flakefighters-json=out/run.json", env=away, expect=1)
    told = checked(project.root / "out" / "run.json")
    assert not told["run"]["started"].startswith("1999")
    assert len(told["failures"]) == 1


def test_places_of_the_file(project: Project) -> None:
    project.test("def test_a(): assert 0\n")
    refused = project.pytest("--flakefighters-json=.", expect=4)
    assert "is a folder" in refused.err
    (project.root / "file").write_text("")
    ended = project.pytest("--flakefighters-json=file/run.json", expect=1)
    assert len(ended.warnings) == 1
    assert "cannot write" in ended.warnings[0]
    assert ended.verdicts
    # What a link leads to is replaced, and what is no file is written to.
    (project.root / "there").mkdir()
    (project.root / "there" / "run.json").write_text("old")
    (project.root / "link.json").symlink_to("there/run.json")
    project.pytest("--flakefighters-json=link.json", expect=1)
    assert (project.root / "link.json").is_symlink()
    checked(project.root / "there" / "run.json")
    assert not project.pytest(f"--flakefighters-json={os.devnull}", expect=1).warnings


def test_nothing_is_written_where_nothing_is_done(project: Project) -> None:
    project.test("def test_a(): assert 0\n")
    project.pytest("--flakefighters-json=run.json", "--collect-only", expect=0)
    project.pytest("--flakefighters-json=run.json", "--no-flakefighters", expect=1)
    assert not (project.root / "run.json").exists()


def test_secrets_stay_out(project: Project) -> None:
    project.test(
        """
        import os
        def test_a():
            token = os.environ["API_TOKEN"]
            assert token == "another", token
        """
    )
    secret = {"API_TOKEN": "correct-horse-battery"}
    project.pytest("--flakefighters-json=run.json", "-l", env=secret, expect=1)
    text = (project.root / "run.json").read_text()
    assert "correct-horse-battery" not in text
    assert "<secret>" in text
    url = "--flakefighters-database-url=postgresql://ci:open-sesame@127.0.0.1:1/flakes"
    project.pytest("--flakefighters-json=run.json", url, env=secret, expect=1)
    told = checked(project.root / "run.json")
    assert told["profile"]["history"] == "postgresql://127.0.0.1:1/flakes"
    assert (told["saved"], len(told["notes"])) == (False, 1)
    assert "open-sesame" not in json.dumps(told)


# -- other plugins ---------------------------------------------------------------------------

OTHERS = ["pytest_jsonreport", "metadata", "html"]


def need_others() -> None:
    need_module("pytest_jsonreport")
    need_module("pytest_html")


@pytest.mark.parametrize("more", [(), ("-n2",)], ids=["plain", "xdist"])
def test_sections_for_every_kind_of_outcome(project: Project, more: Sequence[str]) -> None:
    need_others()
    if more:
        need_module("xdist")
    marker = "[pytest]\nmarkers = flakefighters(ignore): ours, for the run without us\n"
    project.write({"test_it.py": KINDS, "pytest.ini": marker})
    asked = ("--json-report", "--json-report-file=report.json", "--html=report.html")
    plugins = [*OTHERS, *(["xdist"] if more else [])]
    bare = project.pytest(*asked, *more, plugins=plugins, on=False, expect=1)
    without = json.loads((project.root / "report.json").read_text())
    ended = project.pytest(*asked, *more, plugins=plugins, expect=1)
    assert not ended.warnings
    assert "INTERNALERROR" not in ended.out + ended.err
    if not more:
        assert ended.others == bare.others
    told = json.loads((project.root / "report.json").read_text())
    section = told.pop("flakefighters")
    assert set(told) == set(without)
    assert told["summary"] == without["summary"]
    assert (section["schema_version"], section["run"]) == (1, project.run().head.id)
    assert len(section["failures"]) > 8
    assert all(one["verdict"] or "ignored" in one["nodeid"] for one in section["failures"])
    page = (project.root / "report.html").read_text("utf-8")
    start = page.index('<div class="flakefighters">')
    ours = page[start : page.index("</div>", start)]
    assert "<td>UNDECIDED</td>" in ours
    assert "&lt;script&gt;alert(1)" in ours
    assert "<script" not in ours


def test_sections_of_a_run_in_which_all_is_well(project: Project) -> None:
    need_others()
    project.test("def test_a(): pass\n")
    asked = ("--json-report", "--html=report.html", "--json-report-summary")
    project.pytest(*asked, plugins=OTHERS, expect=0)
    section = json.loads((project.root / ".report.json").read_text())["flakefighters"]
    assert section["counts"] == {"tests": 1, "outcomes": {"passed": 1}, "verdicts": {}}
    assert "no verdicts" in (project.root / "report.html").read_text("utf-8")


def test_no_section_where_we_are_off(project: Project) -> None:
    need_others()
    project.test("def test_a(): assert 0\n")
    asked = ("--json-report", "--html=report.html", "--no-flakefighters")
    project.pytest(*asked, plugins=OTHERS, expect=1)
    assert "flakefighters" not in json.loads((project.root / ".report.json").read_text())
