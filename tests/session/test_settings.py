"""What was asked for on pytest's side."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flakefighters.model import Secret, Target
from flakefighters.profiles import Resolution
from flakefighters.session.settings import (
    Roots,
    asked,
    comparable_options,
    redactor_of,
    seeds,
    selection,
    without_url,
)

SOURCE = pytest.Config.ArgsSource


def config(**more: Any) -> Any:
    option = {
        "flakefighters_profile": None,
        "flakefighters_database_url": None,
        "flakefighters_no_save": False,
        "flakefighters_fighters": None,
        "flakefighters_history_runs": 50,
        "flakefighters_verdicts": False,
        "flakefighters_trace": "auto",
        "flakefighters_fail_on": ("genuine", "undecided", "flaky"),
        "flakefighters_quarantine": "report",
        "flakefighters_reruns": None,
        "flakefighters_rerun_strategy": None,
        "flakefighters_json": None,
        "flakefighters_ci": "auto",
        "flakefighters_localise": False,
        "flakefighters_localise_metric": "ochiai",
        **more.pop("option", {}),
    }
    plugins = more.pop("plugins", ())
    made = {
        "option": SimpleNamespace(**option),
        "args": [],
        "args_source": SOURCE.TESTPATHS,
        "ArgsSource": SOURCE,
        "_inicfg": {},
        "pluginmanager": SimpleNamespace(hasplugin=lambda name: name in plugins),
        "invocation_params": SimpleNamespace(args=(), dir=Path("/project")),
        "getini": lambda name: [],
        **more,
    }
    return SimpleNamespace(**made)


def test_fighters() -> None:
    assert asked(config()).fighters is None
    some = config(option={"flakefighters_fighters": "same_state, rerun,"})
    assert asked(some).fighters == ("same_state", "rerun")


def test_a_url_of_the_project() -> None:
    """An address in a file of the project is not the user's own word."""
    option = {"flakefighters_database_url": "sqlite:///x.db"}
    addopts = ["--database-url=sqlite:///x.db"]
    typed = SimpleNamespace(args=("--database-url=sqlite:///x.db",), dir=Path("/"))
    assert asked(config(option=option, getini=lambda name: addopts)).url_in_project
    assert not asked(
        config(option=option, getini=lambda name: addopts, invocation_params=typed)
    ).url_in_project
    assert not asked(config(option=option, invocation_params=typed)).url_in_project


@pytest.mark.parametrize(
    ("arguments", "variable", "in_project"),
    [
        (("tests/test_--database-url.py", "-k", "database-url"), "", True),
        (("-k", "--database-urls=1"), "", True),
        (("@arguments.txt",), "", True),
        (("--database-url", "sqlite:///x.db"), "", False),
        (("--flakefighters-database-url=sqlite:///x.db",), "", False),
        ((), "--database-url=sqlite:///x.db", False),
        ((), "'unfinished --database-url=sqlite:///x.db", True),
    ],
)
def test_typed_options_are_told_by_name(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], variable: str, in_project: bool
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", variable)
    made = config(
        option={"flakefighters_database_url": "sqlite:///x.db"},
        getini=lambda name: ["--database-url=sqlite:///x.db"],
        invocation_params=SimpleNamespace(args=arguments, dir=Path("/")),
    )
    assert asked(made).url_in_project is in_project


def test_arguments_without_the_url() -> None:
    url = "postgresql://u:hunter2@h/d"
    arguments = ["-x", f"--database-url={url}", "--flakefighters-database-url", url, "tests"]
    assert without_url(arguments) == ["-x", "tests"]


def test_values_of_other_plugins_are_hashed() -> None:
    made = comparable_options(config(_inicfg={"env": ["TOKEN=hunter2"], "xfail_strict": "true"}))
    assert made["xfail_strict"] == "true"
    assert "hunter2" not in str(made)
    other = comparable_options(config(_inicfg={"env": ["TOKEN=hunter3"], "xfail_strict": "true"}))
    assert made["env"] != other["env"]


@pytest.mark.parametrize("password", ["pw", "hunter2", "postgres", "p@s/", "long-enough-for-all"])
def test_the_profiles_own_password_is_redacted(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    target = Target(backend="postgresql", host="h", password=Secret(password))
    redactor = redactor_of(Resolution(target=target, record_to=target, profile="ci", reason="x"))
    assert redactor(f"said {password!r} to {password}.") == "said '<secret>' to <secret>."
    monkeypatch.setenv("FLAKEFIGHTERS_PROFILES__CI__PASSWORD", "pw2")
    plain = Target(backend="sqlite", path=Path("x.db"))
    redactor = redactor_of(Resolution(target=plain, record_to=plain, profile="local", reason="x"))
    assert redactor("it was pw2, not pw22") == "it was <secret>, not pw22"


def test_comparable_options() -> None:
    ini = {
        "addopts": "-v",
        "junit_family": "xunit1",
        "filterwarnings": ["error"],
        "xfail_strict": SimpleNamespace(value="true", origin="file"),
        "python_files": "check_*.py",
    }
    made = config(_inicfg=ini, option={"runxfail": True, "timeout": 3.5, "verbose": 2})
    assert comparable_options(made) == {
        "--runxfail": True,
        "--timeout": "3.5",
        "filterwarnings": "error",
        "xfail_strict": "true",
        "python_files": "check_*.py",
    }


def test_toml_and_ini_files_say_the_same() -> None:
    toml = {"pythonpath": ["src", "."], "xfail_strict": True, "faulthandler_timeout": 5}
    ini = {"pythonpath": "src\n  .", "xfail_strict": "True", "faulthandler_timeout": "5"}
    assert comparable_options(config(_inicfg=toml)) == comparable_options(config(_inicfg=ini))


def test_what_tests_see_of_logs_and_streams() -> None:
    ini = {"log_level": "INFO", "log_cli": "true", "log_file": "x.log"}
    written = {"addopts": ["-q", "-vs", "--strict-markers", "--basetemp=x", "-k", "slow"]}
    made = config(
        _inicfg=ini,
        option={"log_level": "DEBUG", "capture": "no"},
        getini=lambda name: written.get(name, []),
    )
    assert comparable_options(made) == {
        "--log_level": "DEBUG",
        "addopts": ["--basetemp=x", "-vs"],
        "log_level": "INFO",
    }


def test_selection() -> None:
    assert selection(config(), 0, str) == {}
    made = config(
        args=["a.py::b"],
        args_source=SOURCE.ARGS,
        option={"keyword": "x", "markexpr": "slow", "lf": True, "deselect": ["y"]},
    )
    assert selection(made, 3, str.upper) == {
        "arguments": ["A.PY::B"],
        "-k": "x",
        "-m": "slow",
        "--lf": True,
        "--deselect": True,
        "deselected": 3,
    }


def test_seeds() -> None:
    option = {"randomly_seed": 7, "random_order_seed": "9", "random_order_bucket": "module"}
    assert seeds(config()) == {}
    idle = {"random_order_seed": "default:9", "random_order_bucket": "default:module"}
    assert seeds(config(option=idle)) == {}
    assert seeds(config(option={**idle, "random_order_enabled": True})) == {"random_order": "9"}
    assert seeds(config(option=option, plugins=("randomly",))) == {
        "randomly": "7",
        "random_order": "9",
    }


def test_roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "project"
    monkeypatch.setattr(
        sys, "path", [str(base), str(base / "src"), str(tmp_path / "project2"), "/usr/lib", ""]
    )
    sys.path.append(base)  # type: ignore[arg-type]
    roots = Roots(base)
    roots.look()
    assert list(roots.found) == [".", "src"]
