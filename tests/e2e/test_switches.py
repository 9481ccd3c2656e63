"""When the plugin is on, and that it does nothing when it is off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.e2e.project import Project
from tests.requirements import need_installed

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"coverage", "keyring", "psycopg2", "pydantic", "pydantic_settings", "rich", "sqlalchemy"}
HEAVY |= {"typer", "asyncio", "sqlite3", "flakefighters.session", "flakefighters.history"}

#: Runs pytest.main() once per line of arguments, and tells what was imported and left behind.
SEVERAL = """
import json, os, sys
import pytest
if __name__ == "__main__":
    told = []
    for arguments in json.loads(sys.argv[1]):
        before = set(sys.modules)
        code = int(pytest.main(["-p", "flakefighters.plugin", *arguments]))
        told.append([code, sorted(set(sys.modules) - before), sorted(os.listdir("."))])
    json.dump(told, open(sys.argv[2], "w"))
"""

PASSIVE = [
    ["--help"],
    ["--version"],
    ["--collect-only"],
    ["--fixtures"],
    ["--fixtures-per-test"],
    ["--markers"],
    ["--setup-plan"],
    ["--setup-only"],
    ["--cache-show"],
    ["--no-flakefighters"],
]


def several(
    project: Project, lines: Sequence[Sequence[str]], env: Mapping[str, str] | None = None
) -> list[tuple[int, set[str], list[str]]]:
    """pytest.main() with each line of arguments, in one process."""
    import subprocess

    project.write({"../several.py": SEVERAL})
    told = project.home / "told.json"
    script = str(project.root.parent / "several.py")
    done = subprocess.run(
        [sys.executable, script, json.dumps(lines), str(told)],
        cwd=project.root,
        env={**project.environment(env), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(code, set(names), files) for code, names, files in json.loads(told.read_text())]


def test_nothing_is_done_where_no_test_runs(project: Project) -> None:
    project.test("def test_a(): pass\n")
    lines = [
        [*passive, "-p", "no:cacheprovider"] for passive in PASSIVE if "--cache-show" not in passive
    ]
    for line, (code, imported, files) in zip(lines, several(project, lines), strict=True):
        assert code == 0, line
        assert not imported & HEAVY, line
        assert files == ["test_it.py"], line


def test_recording_imports_nothing_heavy_either(project: Project) -> None:
    project.test("def test_a(): assert 0\n")
    ((code, imported, files),) = several(project, [["-p", "no:cacheprovider"]])
    assert code == 1
    light = {"sqlite3", "flakefighters.session", "flakefighters.history"}
    assert not imported & (HEAVY - light)
    assert files == [".flakefighters", "flakefighters.db", "test_it.py"]


def test_the_second_session_of_a_process_is_nested(project: Project) -> None:
    project.test("def test_a(): pass\n")
    told = several(project, [[], [], ["--flakefighters"]])
    assert [code for code, _, _ in told] == [0, 0, 0]
    assert len(project.runs()) == 2


def test_a_second_session_of_a_process_says_that_it_is_not_recorded(project: Project) -> None:
    project.test("def test_a(): pass\n")
    one = "pytest.main(['-q', '-p', 'flakefighters.plugin'])"
    done = subprocess.run(
        [sys.executable, "-c", f"import pytest; {one}; {one}"],
        cwd=project.root,
        env=project.environment({"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.count("neither judged nor recorded") == 1
    assert len(project.runs()) == 1


ORDER = [
    # options, variable, ini, nested, recorded?
    ([], None, None, False, True),
    ([], None, None, True, False),
    ([], None, "true", True, True),
    ([], None, "false", False, False),
    ([], "1", "false", True, True),
    ([], "0", "true", False, False),
    (["--flakefighters"], "0", "false", True, True),
    (["--no-flakefighters"], "1", "true", False, False),
    (["-p", "no:flakefighters.plugin"], "1", "true", False, False),
]


@pytest.mark.parametrize(("options", "variable", "ini", "nested", "expected"), ORDER)
def test_order(
    project: Project,
    options: list[str],
    variable: str | None,
    ini: str | None,
    nested: bool,
    expected: bool,
) -> None:
    project.test("def test_a(): pass\n")
    if ini is not None:
        project.write({"pytest.ini": f"[pytest]\nflakefighters = {ini}\n"})
    env = {}
    if variable is not None:
        env["FLAKEFIGHTERS"] = variable
    if nested:
        env["PYTEST_CURRENT_TEST"] = "test_outer.py::test_outer (call)"
    ended = project.pytest("-q", *options, env=env, expect=0)
    assert project.database.exists() is expected
    assert bool(ended.ours) is expected


def test_a_pytest_within_a_test(project: Project) -> None:
    project.test(
        """
        import subprocess, sys
        pytest_plugins = "pytester"

        def test_inprocess(pytester):
            pytester.makepyfile("def test_inner(): assert 0")
            result = pytester.runpytest_inprocess("-p", "flakefighters.plugin")
            result.assert_outcomes(failed=1)
            assert "flakefighters:" not in result.stdout.str()
            assert not (pytester.path / "flakefighters.db").exists()

        def test_subprocess(pytester):
            pytester.makepyfile("def test_inner(): assert 0")
            result = pytester.runpytest_subprocess("-p", "flakefighters.plugin")
            result.assert_outcomes(failed=1)
            assert "flakefighters:" not in result.stdout.str()
            assert not (pytester.path / "flakefighters.db").exists()
        """
    )
    project.pytest(expect=0)
    assert list(project.run().suite) == [
        "test_it.py::test_inprocess",
        "test_it.py::test_subprocess",
    ]
    assert len(project.runs()) == 1


MALFORMED: list[tuple[list[str], dict[str, str], str]] = [
    (["--flakefighters-profile=nope"], {}, "nope"),
    (["--flakefighters-database-url=mysql://x/y"], {}, "--flakefighters-database-url"),
    (["--database-url=nonsense"], {}, "database-url"),
    (["--flakefighters-fighters=same_state,nobody"], {}, "nobody"),
    (["--flakefighters-history-runs=-1"], {}, "-1"),
    ([], {"FLAKEFIGHTERS": "maybe"}, "FLAKEFIGHTERS"),
    ([], {"FLAKEFIGHTERS_PROFILE": "nope"}, "nope"),
]


@pytest.mark.parametrize(("options", "env", "named"), MALFORMED, ids=lambda one: str(one)[:30])
def test_malformed(project: Project, options: list[str], env: dict[str, str], named: str) -> None:
    """What was asked for and cannot be had: exit code 4, before anything is collected."""
    project.test("open('collected', 'w')\ndef test_a(): pass\n")
    ended = project.pytest(*options, env=env, expect=4)
    assert named in ended.err
    assert "Traceback" not in ended.err
    assert project.files() == ["test_it.py"]


def test_malformed_file(project: Project) -> None:
    project.write({"profiles.toml": "[profiles.local\n", "test_it.py": "def test_a(): pass\n"})
    for env in ({}, {"CI": "1"}, {"FLAKEFIGHTERS_PROFILE": "team"}):
        [warning] = project.pytest(env=env, expect=0).warnings
        assert warning.startswith("profiles.toml is not valid TOML")
    ended = project.pytest("--flakefighters-profile=local", expect=4)
    assert "profiles.toml" in ended.err
    # Off is off.
    project.pytest("--no-flakefighters", expect=0)
    project.pytest("--collect-only", expect=0)


def test_database_url(project: Project) -> None:
    project.test("def test_a(): pass\n")
    ended = project.pytest("--database-url=sqlite:///other.db", expect=0)
    assert "sqlite:///other.db" in ended.ours[0]
    assert len(project.runs(project.root / "other.db")) == 1
    assert not project.database.exists()
    # A project's own option of that name is the project's.
    project.write(
        {
            "conftest.py": """
                def pytest_addoption(parser):
                    parser.addoption("--database-url", default="theirs")
                """,
            "test_it.py": """
                def test_a(request):
                    assert request.config.getoption("--database-url") == "postgres://theirs"
                """,
        }
    )
    project.pytest("--database-url=postgres://theirs", expect=0)
    assert len(project.runs()) == 1


def test_options_of_recording(project: Project) -> None:
    project.test("def test_a(): assert 0\ndef test_b(): pass\n")
    ended = project.pytest("--no-flakefighters-save", "--color=no", expect=1)
    assert "nothing saved, as asked" in ended.closing
    assert [label for label, _ in ended.verdicts] == ["UNDECIDED"]
    assert not project.database.exists()
    assert project.spool == []
    project.pytest("--flakefighters-history-runs=0", expect=1)
    project.pytest("--flakefighters-fighters=same_state", expect=1)
    assert len(project.runs()) == 2


def test_hook_stash_and_marker(project: Project) -> None:
    project.write(
        {
            "conftest.py": """
                from flakefighters.plugin import verdicts_key

                def pytest_flakefighters_verdict(config, verdict):
                    print("TOLD", verdict.nodeid, verdict.label.value, verdict.fighter)

                def pytest_unconfigure(config):
                    print("STASH", [one.nodeid for one in config.stash[verdicts_key]])
                """,
            "test_it.py": """
                import pytest
                def test_a(): assert 0
                @pytest.mark.flakefighters(ignore=True)
                def test_b(): assert 0
                @pytest.mark.flakefighters(ignore=["changed_imports"])
                def test_c(): pass
                """,
        }
    )
    ended = project.pytest("-s", "--strict-markers", "--color=no", expect=1)
    assert "TOLD test_it.py::test_a undecided joint" in ended.out
    assert "STASH ['test_it.py::test_a']" in ended.out
    assert len(ended.verdicts) == 1
    # The failure is recorded all the same.
    assert project.run().outcomes == "FF."
    # A hook that fails is said, and costs nothing.
    project.write({"conftest.py": "def pytest_flakefighters_verdict(verdict): 1 / 0\n"})
    ended = project.pytest("--color=no", expect=1)
    assert len(ended.warnings) == 1
    assert "ZeroDivisionError" in ended.warnings[0]
    assert len(project.runs()) == 2


def test_installed_means_active(project: Project) -> None:
    """Found by pytest itself, among all other plugins that are installed here."""
    need_installed()
    project.write({"pytest.ini": "[pytest]\naddopts = -p no:randomly\n"})
    project.test("def test_a(): pass\n")
    project.pytest("--disable-warnings", installed=True, expect=0)
    assert project.run().outcomes == "."
    project.pytest("-p", "no:flakefighters", installed=True, on=False, expect=0)
    assert len(project.runs()) == 1


def test_our_modules_are_not_rewritten(project: Project) -> None:
    """pytest would rewrite every module of an installed plugin's distribution, at each start.

    The hook is as it was before any test runs.
    """
    project.write(
        {
            "rewriting.py": "import pytest\npytest.register_assert_rewrite('flakefighters')\n",
            "test_it.py": """
                import sys

                HOOK = "AssertionRewritingHook"

                def test_a():
                    rewritten = {
                        name
                        for name, module in sys.modules.items()
                        if name.startswith("flakefighters")
                        and type(module.__spec__.loader).__name__ == HOOK
                    }
                    assert "flakefighters.plugin" in rewritten
                    assert not [name for name in rewritten if name.count(".") > 1], rewritten
                    assert not [one for one in sys.meta_path if "flake" in one.__module__]
                """,
        }
    )
    project.pytest("-p", "rewriting", expect=0)


def _install(folder: Path, name: str, points: str) -> Path:
    """Metadata of a distribution with pytest plugins."""
    about = folder / f"{name}-0.7.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.7\n")
    (about / "entry_points.txt").write_text(f"[pytest11]\n{points}")
    return folder


@pytest.mark.parametrize("first", ["this", "that"])
def test_the_other_plugin_of_our_name(
    project: Project, tmp_path_factory: pytest.TempPathFactory, first: str
) -> None:
    project.test("def test_it():\n    pass\n")
    made = tmp_path_factory.mktemp("installed")
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    points = "".join(f"{name} = {value}\n" for name, value in known["pytest11"].items())
    mine = _install(made / "this", "flakefighters", points)
    peer = _install(made / "that", "pytest_flakefighters", "flakefighters = pytest_flakefighters")
    (peer / "pytest_flakefighters.py").write_text("")
    folders = [mine, peer] if first == "this" else [peer, mine]
    path = os.pathsep.join(map(str, [*folders, ROOT]))
    ran = project.pytest("-q", installed=True, env={"PYTHONPATH": path}, expect=0)
    (warning,) = ran.warnings
    which = "this one (" if first == "this" else "that one, so this one is not active ("
    assert f"installed too, and pytest loads only one plugin called flakefighters: {which}" in (
        warning
    )
    assert ("saved to local" in ran.out) == (first == "this")
    silent = project.pytest(
        "-q", "-p", "no:flakefighters", installed=True, env={"PYTHONPATH": path}, expect=0
    )
    alone = os.pathsep.join(map(str, [mine, ROOT]))
    assert [
        *silent.warnings,
        *project.pytest(installed=True, env={"PYTHONPATH": alone}).warnings,
    ] == []
