"""What was asked for on pytest's side, as plain data."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flakefighters.capture.redact import Redactor
from flakefighters.ids import h128
from flakefighters.records import NamedTuple, record

if TYPE_CHECKING:
    from flakefighters.profiles import Resolution

__all__ = [
    "Asked",
    "Roots",
    "arguments",
    "asked",
    "by_hand",
    "comparable_options",
    "plugin_files",
    "plugins",
    "redactor_of",
    "registered",
    "seeds",
    "selection",
    "typed",
    "without_url",
]

#: ini keys that change how pytest looks or where it puts things, not what tests do.
_COSMETIC: Final = frozenset(
    {
        *("addopts", "cache_dir", "console_output_style", "flakefighters", "markers"),
        *("log_cli", "log_cli_date_format", "log_cli_format", "log_file", "log_file_date_format"),
        *("log_file_format", "log_file_mode", "log_file_verbosity_level"),
        *("minversion", "norecursedirs", "required_plugins", "testpaths"),
        *("strict", "strict_config", "strict_markers"),
        *("tmp_path_retention_count", "tmp_path_retention_policy"),
        *("truncation_limit_chars", "truncation_limit_lines"),
    }
)
#: pytest's own ini keys that change what tests do.
_PYTESTS: Final = frozenset(
    {
        *("collect_imported_tests", "consider_namespace_packages", "doctest_encoding"),
        *("doctest_optionflags", "empty_parameter_set_mark", "enable_assertion_pass_hook"),
        *("faulthandler_exit_on_timeout", "faulthandler_timeout", "filterwarnings"),
        *("log_auto_indent", "log_date_format", "log_format", "log_level", "python_classes"),
        *("python_files", "python_functions", "pythonpath", "strict_parametrization_ids"),
        *("strict_xfail", "usefixtures", "xfail_strict"),
    }
)
#: The same as those above, by how they begin.
_COSMETIC_PREFIXES: Final = ("junit_", "verbosity_")
_URL_OPTIONS: Final = ("--flakefighters-database-url", "--database-url")
#: Parts of ``addopts`` that alter what tests see; typed on the command line they help to look.
_SEEN_BY_TESTS: Final = re.compile(r"-[lqvx]*s|--(?:basetemp|capture)\b")
_OTHERS: Final = r"(?i)FLAKEFIGHTERS_PROFILES__\w+__PASSWORD"
#: Values of ``-p`` that change how tests are shown, ordered or spread, not what they do.
_HARMLESS_PLUGINS: Final = frozenset(
    {
        *("xdist", "flakefighters", "flakefighters.plugin", "cov", "pytest_cov", "randomly"),
        *("no:xdist", "no:flakefighters", "no:cov", "no:randomly", "no:cacheprovider"),
        *("no:terminal", "no:sugar", "no:rerunfailures", "no:flaky"),
    }
)
#: Command line options that change what tests do.
_MATTERS: Final = (
    "runxfail",
    "importmode",
    "noconftest",
    "assertmode",
    "pythonwarnings",
    "doctestmodules",
    "doctestglob",
    "timeout",
    "timeout_method",
    "asyncio_mode",
    "anyio_mode",
    "ds",
    "dc",
    "create_db",
    "disable_socket",
    "allow_hosts",
    "hypothesis_profile",
    "log_level",
    "log_format",
    "log_date_format",
    "log_cli_level",
    "log_file_level",
    "logger_disable",
)


class Asked(NamedTuple):
    """Our own options."""

    profile: str | None = None
    database_url: str | None = None
    url_in_project: bool = False
    save: bool = True
    fighters: tuple[str, ...] | None = None
    history_runs: int = 50
    show_verdicts: bool = False
    trace: str = "auto"
    #: Which failures to put on trial; None if the profile is to say.
    confirm: str | None = None
    #: Failures that are proved flaky do not fail the run.
    suppress: bool = False
    #: What is done about tests in quarantine: "enforce", "report" or "off".
    quarantine: str = "report"
    #: Further attempts at one test, and at which.
    reruns: int = 0
    rerun_strategy: str = "failed"
    #: Where the run's verdicts are to be written.
    json: str | None = None
    #: Rank the lines that set failing attempts apart, and by which metric.
    localise: bool = False
    metric: str = "ochiai"
    #: Whether the CI service is told of the verdicts: "auto" or "off".
    ci: str = "auto"


def asked(config: Any, option: Any = None) -> Asked:
    """Read our options, from ``option`` as long as ``config`` has not parsed them all."""
    option = config.option if option is None else option
    fighters = option.flakefighters_fighters
    return Asked(
        profile=getattr(option, "flakefighters_profile", None),
        database_url=option.flakefighters_database_url,
        url_in_project=option.flakefighters_database_url is not None and not _url_typed(config),
        save=not option.flakefighters_no_save,
        fighters=None
        if fighters is None
        else tuple(name.strip() for name in fighters.split(",") if name.strip()),
        history_runs=option.flakefighters_history_runs,
        show_verdicts=option.flakefighters_verdicts,
        trace=option.flakefighters_trace,
        confirm=getattr(option, "flakefighters_confirm", None),
        suppress="flaky" not in option.flakefighters_fail_on,
        quarantine=option.flakefighters_quarantine,
        reruns=_reruns(option.flakefighters_reruns, option.flakefighters_rerun_strategy),
        rerun_strategy=option.flakefighters_rerun_strategy or "failed",
        json=option.flakefighters_json,
        localise=option.flakefighters_localise,
        metric=option.flakefighters_localise_metric,
        ci=option.flakefighters_ci,
    )


def _reruns(most: int | None, strategy: str | None) -> int:
    """Who names a strategy alone wants as many attempts as it is made for."""
    alone = {None: 0, "new": 9}.get(strategy, 1)
    return alone if most is None else most


def _url_typed(config: Any) -> bool:
    """Whether the user has given the URL, and not a file of the project (``addopts``, ``@file``).

    The last one wins: pytest reads ``addopts``, then PYTEST_ADDOPTS, then what was typed.
    """
    return any(word.partition("=")[0] in _URL_OPTIONS for word in typed(config))


def typed(config: Any) -> list[str]:
    """What the user has given: the words of PYTEST_ADDOPTS, then those of the command line."""
    try:
        variable = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    except ValueError:
        variable = []
    return [*variable, *map(str, config.invocation_params.args)]


def without_url(arguments: Iterable[Any]) -> list[Any]:
    """Command line arguments without our URL, which may hold a password."""
    kept: list[Any] = []
    is_url = False
    for argument in arguments:
        option, equals, _ = str(argument).partition("=")
        if is_url:
            is_url = False
        elif option in _URL_OPTIONS:
            is_url = not equals
        else:
            kept.append(argument)
    return kept


def comparable_options(config: Any) -> dict[str, Any]:
    """The options and ini values that must be equal to compare two runs; JSON values."""
    out: dict[str, Any] = {}
    for name in _MATTERS:
        value = getattr(config.option, name, None)
        if value not in (None, False, [], ""):
            out[f"--{name}"] = _plain(value)
    plugins = set(getattr(config.option, "plugins", None) or ()) - _HARMLESS_PLUGINS
    if plugins:
        out["-p"] = sorted(plugins)
    out.update(_of_the_project(config))
    shown = [one for one in config.getini("addopts") if _SEEN_BY_TESTS.match(str(one))]
    if shown:
        out["addopts"] = sorted(map(str, shown))
    # pytest 9.2 deprecates the public name, and older ones have no other; there is no third way
    # to tell which values the project has set.
    inicfg = config._inicfg if hasattr(config, "_inicfg") else config.inicfg
    for name, value in sorted(inicfg.items()):
        if name not in _COSMETIC and not name.startswith(_COSMETIC_PREFIXES):
            # pytest 9 wraps the values together with where they came from.
            plain = _spelled(getattr(value, "value", value))
            # Other plugins' values may be anything, a password too.
            known = name in _PYTESTS
            out[name] = (
                plain if known else h128("ini", name, json.dumps(plain, sort_keys=True))[:16]
            )
    return out


def _of_the_project(config: Any) -> dict[str, Any]:
    """Options that a conftest of the project has added, where they are not at their defaults.

    Their values are known by a hash alone: no setting says that they may be recorded.
    """
    out: dict[str, Any] = {}
    for option in registered(config):
        name, default = option.dest, option.attrs().get("default")
        value = getattr(config.option, name, default)
        if value == default or name in _MATTERS:
            continue
        if _added_in(config, name, str(config.rootpath)):
            out[f"--{name}"] = h128("option", str(value))[:16]
    return out


def registered(config: Any) -> list[Any]:
    """The options of pytest and of all plugins; empty if this pytest hides them elsewhere."""
    parser = getattr(config, "_parser", None)
    groups = (*getattr(parser, "_groups", ()), getattr(parser, "_anonymous", None))
    return [option for group in groups for option in getattr(group, "options", ())]


def by_hand(config: Any) -> bool:
    """Whether a person steps through the tests with a debugger."""
    option = config.option
    return bool(getattr(option, "usepdb", False) or getattr(option, "trace", False))


def _added_in(config: Any, name: str, folder: str) -> bool:
    """Whether a plugin module below ``folder`` may have added the option."""
    for plugin in config.pluginmanager.get_plugins():
        file = getattr(plugin, "__file__", None) or ""
        if not file.startswith(folder) or "site-packages" in file:
            continue
        try:
            with open(file, "rb") as source:  # noqa: PTH123
                if name.encode() in source.read().replace(b"-", b"_"):
                    return True
        except OSError:
            continue
    return False


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    return str(value)


def _spelled(value: Any) -> Any:
    """One spelling of what TOML writes as lists, numbers and ``true``, and ini-files as text."""
    if isinstance(value, Mapping):
        return _plain(value)
    words = value if isinstance(value, (list, tuple)) else [value]
    text = " ".join(" ".join(map(str, words)).split())
    return text.lower() if text.lower() in ("true", "false") else text


def seeds(config: Any) -> dict[str, str]:
    """The random seeds that plugins have set for this run."""
    out: dict[str, str] = {}
    seed = getattr(config.option, "randomly_seed", None)
    if seed is not None and getattr(config.option, "randomly_reset_seed", True):
        out["randomly"] = str(seed)
    if _shuffles(config.option):
        out["random_order"] = str(config.option.random_order_seed).removeprefix("default:")
    return out


def _shuffles(option: Any) -> bool:
    """Whether pytest-random-order is at work: it marks its own defaults as such."""
    given = [getattr(option, f"random_order_{one}", None) for one in ("seed", "bucket")]
    if None in given:
        return False
    asked = any(not str(one).startswith("default:") for one in given)
    return asked or bool(getattr(option, "random_order_enabled", False))


def selection(config: Any, deselected: int, rename: Any) -> dict[str, Any]:
    """What part of the suite was asked for; empty if all of it."""
    option = config.option
    out: dict[str, Any] = {}
    if config.args_source is config.ArgsSource.ARGS:
        out["arguments"] = [rename(str(argument)) for argument in config.args][:50]
    for name, key in (("keyword", "-k"), ("markexpr", "-m")):
        if getattr(option, name, ""):
            out[key] = getattr(option, name)
    for name, key in (("lf", "--lf"), ("stepwise", "--stepwise"), ("deselect", "--deselect")):
        if getattr(option, name, None):
            out[key] = True
    if deselected:
        out["deselected"] = deselected
    return out


@record
class Roots:
    """Folders of the project from which modules are imported."""

    base: Path
    found: dict[str, None] = field(default_factory=dict)

    def look(self) -> None:
        """Note what is on ``sys.path`` now."""
        base = str(self.base)
        for entry in list(sys.path):
            # Projects put all kinds of things there.
            if isinstance(entry, str) and entry.startswith(base):
                place = Path(entry)
                if place.is_relative_to(self.base):
                    self.found[place.relative_to(self.base).as_posix()] = None


def redactor_of(resolution: Resolution) -> Redactor:
    """What takes secrets out of everything that is recorded."""
    targets = (resolution.target, resolution.record_to)
    passwords = {one.password.reveal() for one in targets if one.password is not None}
    # Those of profiles that are not in use, or not for the place in use.
    passwords |= {value for name, value in os.environ.items() if re.fullmatch(_OTHERS, name)}
    named = resolution.settings.secret_env
    return Redactor(
        os.environ,
        values=[os.environ.get(one, "") for one in named],
        passwords=sorted(passwords),
    )


def arguments(config: Any) -> list[Path]:
    """The paths that pytest was asked for, without what follows in a node id."""
    folder = config.invocation_params.dir
    return [
        Path(os.path.normpath(folder / str(argument).partition("::")[0]))
        for argument in config.args
    ]


def plugins(config: Any) -> list[str]:
    """The plugins asked for by ``-p``."""
    return [name for name in getattr(config.option, "plugins", ()) if not name.startswith("no:")]


def plugin_files(config: Any, base: Path) -> list[str]:
    """Files of the project that are pytest plugins, relative to the base; conftests left out."""
    found = []
    for plugin in config.pluginmanager.get_plugins():
        file = getattr(plugin, "__file__", None)
        if not isinstance(file, str) or file.endswith("conftest.py") or "site-packages" in file:
            continue
        path = Path(os.path.realpath(file))
        if path.is_relative_to(base):
            found.append(path.relative_to(base).as_posix())
    return sorted(found)
