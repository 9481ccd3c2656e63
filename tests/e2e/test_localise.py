"""``--flakefighters-localise`` and the command: what sets failing attempts apart."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flakefighters.history import open_history
from flakefighters.history.spectra import spectra
from flakefighters.model import Target
from flakefighters.model.spectra import Ran, Spectrum
from tests.e2e.project import Ended, Project
from tests.requirements import need_module

NEW = sys.version_info >= (3, 12)
seen = pytest.mark.skipif(not NEW, reason="lines are seen on Python 3.12 and newer")
WAYS = pytest.mark.parametrize("xdist", [False, True], ids=["plain", "xdist"])

#: Draws one of two branches; which ones the attempts draw stands in a file.
SHOP = """
    import pathlib

    def draw():
        file = pathlib.Path(__file__).parent / "draws"
        first, *rest = file.read_text()
        file.write_text("".join(rest) or "+")
        return first

    def price(n):
        if draw() == "-":
            # One line of several.

            n = -n
            return n
        return n

    def unused():
        return 0
    """
TEST = """
    import pytest
    import shop

    @pytest.fixture(scope="module")
    def wide():
        return [shop.unused()]

    def test_price(wide):
        assert shop.price(2) == 2

    def test_fine():
        assert True
    """
#: In SHOP, what the failing branch runs.
BRANCH = [13, 14]


def make(project: Project, draws: str, shop: str = SHOP) -> None:
    project.write({"shop.py": shop, "test_it.py": TEST, "draws": draws, "pytest.ini": "[pytest]\n"})


def localise(
    project: Project,
    *args: str,
    draws: str = "-+",
    reruns: int = 2,
    xdist: bool = False,
    plugins: tuple[str, ...] = (),
    **how: Any,
) -> Ended:
    (project.root / "draws").write_text(draws)
    if xdist:
        need_module("xdist")
        args, plugins = (*args, "-n2"), (*plugins, "xdist")
    if reruns:
        args = (*args, f"--flakefighters-reruns={reruns}")
    options = ["--flakefighters-localise", "--color=no", "-p", "no:cacheprovider", *args]
    return project.pytest(*options, plugins=plugins, **how)


def command(project: Project, *args: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flakefighters", *args],
        cwd=project.root,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout or done.stderr


def known(project: Project) -> list[dict[str, Spectrum]]:
    """The spectra of each run, oldest first."""
    with project.history() as history:
        told = spectra(history.database, sorted(history.run_ids()), history.unreadable)
        return list(told.values())


def counted(one: Spectrum, path: str = "shop.py") -> dict[str, tuple[Ran, dict[int, Ran]]]:
    functions = one.files[path].functions
    return {name: (part.ran, dict(part.lines)) for name, part in functions.items()}


def tables(ended: Ended) -> list[str]:
    """The lines of ours that are no verdicts."""
    return [line for line in ended.ours if "apart" in line or line.startswith("  ")]


@seen
@WAYS
def test_one_run_with_reruns(project: Project, xdist: bool) -> None:
    make(project, "")
    ended = localise(project, draws="--+", xdist=xdist, expect=0)
    title, head, *rows = tables(ended)
    assert title == (
        "test_it.py::test_price: 2 of 3 attempts failed; lines that set these apart, by ochiai"
    )
    assert head.split() == ["RANK", "SCORE", "FAILED", "PASSED", "LINE", "FUNCTION"]
    assert [row.split() for row in rows] == [
        ["1", "1.00", "2", "of", "2", "0", "of", "1", "shop.py:13-14", "price"]
    ]
    # After the verdicts, before the closing line.
    assert ended.ours.index(title) == len(ended.ours) - 4
    ((nodeid, one),) = known(project)[0].items()
    assert (nodeid, one.failed, one.passed) == ("test_it.py::test_price", 2, 1)
    price = counted(one)["price"]
    assert price[0] == Ran(2, 1)
    assert price[1] == {10: Ran(2, 1), 13: Ran(2, 0), 14: Ran(2, 0), 15: Ran(0, 1)}
    # Neither the setup of the wide fixture nor what never ran.
    assert "unused" not in counted(one)
    assert counted(one, "test_it.py") == {"test_price": (Ran(2, 1), {9: Ran(2, 1)})}


@seen
@pytest.mark.parametrize(
    ("module", "plugin", "option"),
    [
        ("pytest_rerunfailures", "rerunfailures", "--reruns=2"),
        ("pytest_retry", "pytest_retry.retry_plugin", "--retries=2"),
    ],
)
def test_other_reruns(project: Project, module: str, plugin: str, option: str) -> None:
    need_module(module)
    make(project, "")
    ended = localise(project, option, draws="--+", reruns=0, plugins=(plugin,), expect=0)
    (found,) = known(project)
    one = found["test_it.py::test_price"]
    assert (one.failed, one.passed) == (2, 1)
    assert counted(one)["price"][1][13] == Ran(2, 0)
    assert "shop.py:13-14" in tables(ended)[-1]


@seen
@WAYS
def test_several_runs_are_joined(project: Project, xdist: bool) -> None:
    make(project, "")
    # Failed alone; flaky; then passed attempts of a test that was flaky before.
    for draws in ("-", "-+", "+", "+"):
        localise(project, draws=draws, reruns=int(draws == "-+"), xdist=xdist)
    assert [(one.failed, one.passed) for told in known(project) for one in told.values()] == [
        (1, 0),
        (1, 1),
        (0, 1),
        (0, 1),
    ]
    found = json.loads(command(project, "localise", "test_price", "--json"))
    assert (found["failed"], found["passed"], len(found["runs"])) == (2, 3, 4)
    assert [one["line"] for one in found["lines"] if one["rank"] == 1] == BRANCH
    best = found["lines"][0]
    assert (best["failed"], best["passed"], best["passed_without"]) == (2, 0, 3)
    found = json.loads(command(project, "localise", "test_price", "--json", "--runs=2"))
    assert (found["failed"], found["passed"]) == (0, 2)


@seen
def test_lines_of_another_content_are_not_joined(project: Project) -> None:
    make(project, "")
    localise(project)
    shop = project.root / "shop.py"
    shop.write_text("# A new first line.\n" + shop.read_text())
    localise(project)
    found = json.loads(command(project, "localise", "test_price", "--json"))
    assert found["failed"] == 2
    best = found["lines"][0]
    assert (best["failed"], best["failed_without"]) == (1, 0)
    function = next(one for one in found["functions"] if one["function"] == "price")
    assert (function["failed"], function["passed"]) == (2, 2)


@seen
def test_nothing_sets_them_apart(project: Project) -> None:
    project.test(
        """
        import pathlib

        def test_n():
            with open("n", "a") as file:
                file.write("x")
            assert pathlib.Path("n").read_text() == "xx"
        """
    )
    (project.root / "draws").touch()
    (line,) = tables(localise(project))
    assert line.endswith("1 of 2 attempts failed, and no line sets the failing ones apart")


@seen
@pytest.mark.parametrize(
    ("options", "shown"), [(["-q"], True), (["-qq"], False), (["--no-summary"], False)]
)
def test_it_obeys_pytests_options(project: Project, options: list[str], shown: bool) -> None:
    make(project, "")
    ended = localise(project, *options)
    assert ("shop.py:13-14" in ended.out) is shown


@seen
def test_names_are_escaped(project: Project) -> None:
    make(project, "")
    project.write(
        {
            "test_it.py": """
            import pytest
            import shop

            @pytest.mark.parametrize("n", [pytest.param(2, id="\\u202e")])
            def test_price(n):
                assert shop.price(n) == n
            """
        }
    )
    ended = localise(project)
    assert "\\u202e]: 1 of 2 attempts failed" in "\n".join(tables(ended))
    assert "\u202e" not in "".join(ended.ours)


@seen
def test_other_metrics_and_the_json_file(project: Project) -> None:
    make(project, "")
    told = project.root / "out.json"
    options = ["--flakefighters-localise-metric=dstar", f"--flakefighters-json={told}"]
    ended = localise(project, *options)
    assert "by dstar" in tables(ended)[0]
    assert tables(ended)[2].split()[1] == "inf"
    record = json.loads(told.read_text())
    jsonschema = pytest.importorskip("jsonschema")
    schema = Path(__file__).parents[2] / "docs" / "reference" / "run.schema.json"
    jsonschema.validate(record, json.loads(schema.read_text("utf-8")))
    (one,) = record["localised"]
    assert (one["nodeid"], one["metric"]) == ("test_it.py::test_price", "dstar")
    assert one["lines"][0]["score"] is None
    assert one["runs"] == [record["run"]["id"]]
    assert one["functions"]


@seen
def test_passing_tests_and_their_runs_leave_nothing(project: Project) -> None:
    make(project, "")
    ended = localise(project, draws="+", expect=0)
    assert known(project) == []
    assert tables(ended) == []


@seen
def test_without_the_option_nothing_is_kept(project: Project) -> None:
    make(project, "-+")
    ended = project.pytest("--flakefighters-reruns=2", "-p", "no:cacheprovider")
    assert tables(ended) == []
    assert known(project) == []


@seen
def test_a_polluted_process(project: Project) -> None:
    """Tests that leave no process to save in: what ran comes to the history all the same."""
    make(project, "")
    project.write(
        {"conftest.py": "import time\ndef pytest_runtest_setup(): time.time = lambda: 0\n"}
    )
    localise(project)
    assert known(project)[0]["test_it.py::test_price"].failed == 1


@seen
def test_too_few_monitoring_ids(project: Project) -> None:
    make(project, "")
    project.write({"taken.py": "import sys\nsys.monitoring.use_tool_id(5, 'other')\n"})
    ended = localise(project, plugins=("taken",), env={"PYTHONPATH": _with(project)}, expect=0)
    assert ended.verdicts
    (warning,) = ended.warnings
    assert "lines are not watched" in warning
    assert tables(ended) == []


def _with(project: Project) -> str:
    inherited = project.environment().get("PYTHONPATH", "")
    return f"{project.root}:{inherited}" if inherited else str(project.root)


def test_watching_switched_off(project: Project) -> None:
    make(project, "")
    ended = localise(project, "--flakefighters-trace=off", expect=0)
    (warning,) = ended.warnings
    assert warning.startswith("nothing is localised: ")
    assert ended.verdicts


@pytest.mark.skipif(NEW, reason="lines are seen here")
@WAYS
def test_python_3_11(project: Project, xdist: bool) -> None:
    make(project, "")
    ended = localise(project, xdist=xdist, expect=0)
    assert ended.warnings == [
        "nothing is localised: neither lines nor functions can be watched on Python 3.11 (3.12 can)"
    ]
    assert [label for label, _ in ended.verdicts] == ["FLAKY"]
    assert known(project) == []


def test_an_unknown_metric(project: Project) -> None:
    make(project, "+")
    project.pytest("--flakefighters-localise-metric=magic", expect=4)


# -- the command -----------------------------------------------------------------------------


@seen
def test_the_command(project: Project) -> None:
    make(project, "")
    localise(project)
    title, head, first, *_ = command(project, "localise", "test_price").splitlines()
    assert title.startswith("test_it.py::test_price: 1 of 2 attempts failed; lines")
    assert head.split()[-2:] == ["LINE", "FUNCTION"]
    assert first.split()[-2:] == ["shop.py:13-14", "price"]
    text = command(project, "localise", "test_it.py::test_price", "--functions", "--limit=1")
    assert text.splitlines()[2].split()[-2:] == ["shop.py:3", "draw"]
    rows = list(csv.DictReader(io.StringIO(command(project, "localise", "test_price", "--csv"))))
    assert (rows[0]["path"], rows[0]["line"], rows[0]["score"]) == ("shop.py", "13", "1.0")
    only = json.loads(command(project, "localise", "test_price", "--json", "--functions"))
    assert "lines" not in only
    assert only["functions"]


def test_the_command_knows_nothing(project: Project) -> None:
    make(project, "+")
    assert "no history yet" in command(project, "localise", "test_price", expect=1)
    project.pytest("-p", "no:cacheprovider", expect=0)
    said = command(project, "localise", "test_price")
    assert "run pytest with --flakefighters-localise and --flakefighters-reruns" in said
    empty = json.loads(command(project, "localise", "test_price", "--json"))
    assert (empty["failed"], empty["lines"], empty["runs"]) == (0, [], [])
    assert "did you mean" in command(project, "localise", "test_prize", expect=1)
    assert "stands for 2 tests" in command(project, "localise", "test_it.py", expect=1)
    assert "choose one of ochiai" in command(
        project, "localise", "test_price", "--metric=magic", expect=2
    )


@seen
def test_spectra_stay_with_their_run(project: Project, tmp_path: Path) -> None:
    make(project, "")
    localise(project)
    localise(project)
    copy = tmp_path / "copy.db"
    command(
        project, "clone", "--from", f"sqlite:///{project.database}", "--into", f"sqlite:///{copy}"
    )
    url = f"--database-url=sqlite:///{copy}"
    before = json.loads(command(project, "localise", "test_price", "--json"))
    with open_history(Target(backend="sqlite", path=copy), create=False) as history:
        assert len(spectra(history.database, before["runs"], history.unreadable)) == 2
    # What comes as a file is believed by nobody.
    again = json.loads(command(project, "localise", "test_price", "--json", url))
    assert (len(before["runs"]), len(again["runs"])) == (2, 0)
    command(project, "purge", before["runs"][0], "--yes")
    left = json.loads(command(project, "localise", "test_price", "--json"))
    assert left["runs"] == before["runs"][1:]
    command(project, "prune", "--keep-runs=1", "--yes")
    assert len(known(project)) == 1
