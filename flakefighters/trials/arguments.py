"""Which of a session's arguments a trial keeps: all but what reports, measures or chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.records import NamedTuple

__all__ = ["Known", "kept"]


class Known(NamedTuple):
    """An option as pytest's parser knows it."""

    #: Where its value goes; what tells options apart.
    dest: str
    takes_value: bool


#: Options by ``dest``: which tests, in which order, where, how often; what is shown or measured.
_LEFT_OUT: Final = frozenset(
    {
        *("keyword", "markexpr", "deselect", "lf", "failedfirst", "newfirst", "stepwise"),
        *("last_failed_no_failures", "stepwise_skip", "stepwise_reset", "maxfail", "picked"),
        *("numprocesses", "maxprocesses", "dist", "distload", "tx", "px", "looponfail"),
        *("rsyncdir", "rsyncignore", "testrunuid", "maxworkerrestart", "maxschedchunk"),
        *("loadscopereorder", "xdist", "splits", "group", "splitting_algorithm"),
        *("usepdb", "usepdb_cls", "trace", "collectonly", "cacheclear", "cacheshow", "basetemp"),
        *("verbose", "quiet", "no_header", "no_summary", "reportchars", "durations", "color"),
        *("durations_min", "code_highlight", "pastebin", "xmlpath", "junitprefix", "htmlpath"),
        *("inifilename", "rootdir", "force_flaky", "max_runs", "min_passes", "no_flaky_report"),
        *("retries", "retry_delay", "count", "repeat_scope", "shard_id", "num_shards"),
        *("self_contained_html", "css", "md_report", "instafail", "tap_files", "log_file"),
        *("no_cov", "no_cov_on_fail", "testmon", "changed_only", "flake_finder_enable"),
    }
)
_LEFT_OUT_BEGIN: Final = (
    *("flakefighters", "cov", "json_report", "report_log", "reruns", "rerun_", "only_rerun"),
    *("randomly", "random_order", "benchmark", "allure", "testmon", "flake_finder", "test_group"),
    *("html_", "report_", "profile_", "store_durations", "tap_"),
)
#: Plugins that are loaded for the same reasons.
_PLUGINS: Final = frozenset({"xdist", "xdist.plugin", "cov", "pytest_cov", "pytest_cov.plugin"})


def kept(arguments: Sequence[str], options: Mapping[str, Known]) -> list[str]:
    """``arguments`` without what a trial leaves out, and without files and node ids.

    ``options``: how each option that pytest knows is spelt ("-k", "--cov"), to what it is.
    """
    found: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            continue
        name, equals, value = _split(word, options)
        known = options.get(name)
        whole = [word]
        if known is not None and known.takes_value and not equals:
            value = next(words, "")
            whole.append(value)
        if not (_left_out(known) or (name == "-p" and value.strip() in _PLUGINS)):
            found += whole
    return found


def _split(word: str, options: Mapping[str, Known]) -> tuple[str, bool, str]:
    """An option, whether its value is in the same word, and that value."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return _whole_name(name, options), bool(equals), value
    known = options.get(word[:2])
    if known is not None and known.takes_value and len(word) > 2:
        return word[:2], True, word[2:].removeprefix("=")
    return word[:2], False, ""


def _whole_name(name: str, options: Mapping[str, Known]) -> str:
    """The option that an abbreviation stands for."""
    if name in options:
        return name
    found = [one for one in options if one.startswith(name)]
    return found[0] if len({options[one].dest for one in found}) == 1 else name


def _left_out(known: Known | None) -> bool:
    return known is not None and (known.dest in _LEFT_OUT or known.dest.startswith(_LEFT_OUT_BEGIN))
