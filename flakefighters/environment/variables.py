"""Variables of the environment: which have another value now, among those that code asks for.

A run keeps a short hash of each name and value, so that no value can be read from it.  Which names
the code asks for is found out from its text, and only when a test failed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.ids import h128
from flakefighters.records import NamedTuple

if TYPE_CHECKING:
    from flakefighters.model import Failure, RunHead

__all__ = [
    "STARTED",
    "Asked",
    "as_started",
    "asked_for",
    "changed_variables",
    "misses",
    "names_to_keep",
    "noted",
    "other_values",
    "that_matter",
]

#: Hexadecimal digits of each hash.
_DIGITS: Final = 6
#: What has another value in each run, or on each machine, and says nothing of how code behaves.
_PASSING: Final = frozenset(
    {
        *("_", "HOME", "HOSTNAME", "OLDPWD", "PATH", "PS1", "PWD", "SHLVL", "TEMP", "TMP"),
        "TMPDIR",
    }
)
#: The same by how names begin and end.
_PASSING_STARTS: Final = (
    *("COVERAGE", "COV_", "DBUS_", "FLAKEFIGHTERS", "GIT_", "NOX_", "PYTEST_", "PYTHON", "SSH_"),
    *("TOX_", "VIRTUAL_ENV", "XDG_"),
)
_PASSING_ENDS: Final = ("_SESSION_ID", "_TOKEN")
#: The same, where a CI service runs the tests.
_BUILD_STARTS: Final = (
    *("AGENT_", "APPVEYOR_", "BITBUCKET_", "BITRISE", "BUILDKITE_", "BUILD_", "CIRCLE_", "CIRRUS_"),
    *("CI_", "CODEBUILD_", "DRONE_", "GITHUB_", "RUNNER_", "SEMAPHORE_", "SYSTEM_", "TRAVIS_"),
)
_BUILD_ENDS: Final = ("_BUILD_ID", "_JOB_ID", "_RUN_ID")
_SERVICES: Final = ("CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION", "CODEBUILD_BUILD_ARN")
#: What decides where files, programs and modules are found, as :func:`as_started` tells it.
STARTED: Final = ("PATH", "os.getcwd", "sys.path")
_MISSING: Final = r"not ?found|no such|cannot find|unable to open|does not exist|ImportError"
#: Python and common libraries ask for these, whoever names them.
_ALWAYS: Final = (
    *("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "LANG", "LC_ALL", "LC_CTYPE"),
    *("PYTHONDEVMODE", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONWARNINGS"),
    *("COLUMNS", "FORCE_COLOR", "NO_COLOR", "MPLBACKEND", "QT_QPA_PLATFORM"),
    *("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy", "http_proxy"),
    *("https_proxy", "no_proxy", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
    *(
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_REGION",
        "PGDATABASE",
        "PGHOST",
        "PGPORT",
        "PGUSER",
    ),
    *STARTED,
)
# Patterns are texts: most runs need none of them.
#: What shows that code looks at the environment, itself or by a library of settings.
_ASKS: Final = (
    rb"\b(?:environ[bs]?|getenvb?|env|env_?var|env_prefix|auto_envvar_prefix|from_prefixed_env"
    rb"|decouple|dynaconf|BaseSettings|dj_database_url)\b"
)
_WORD: Final = rb"[A-Za-z_]\w{1,80}"
#: Other code may hand a name on, and scripts and settings are filled in.
_HANDED_ON: Final = rb"""(?:["'}]|\$\{?)([A-Z][A-Z0-9_]{1,80})\b"""
#: A name where it can be nothing else: no default value, which may be a secret.
_KEY: Final = (
    rb"""(?:environb?|getenvb?|\benv)(?:\.\w+)?\s*[\[(]\s*[bu]?["']([A-Za-z_]\w{1,80})["']"""
)
#: More prefixes, or names behind them, are not tried.
_MOST_PREFIXES, _MOST_PREFIXED, _MOST_KEPT = 8, 3_000, 100


class Asked(NamedTuple):
    """Names of variables that the project may ask for."""

    names: frozenset[str]
    #: Those that stand where code asks for a variable.
    keys: frozenset[str]


def as_started(
    environ: Mapping[str, str], folder: str, path: Sequence[str], base: str
) -> dict[str, str]:
    """The variables, and as such how Python and pytest were started.

    That is the ``folder`` that they were started in, the folders below ``base`` in which modules
    are sought (``python -m pytest`` seeks them in the current one too), and Python's options.
    """
    found = dict(environ)
    if folder != base:
        found["os.getcwd"] = _below(folder, base) or "elsewhere"
    # An environment and its programs may lie in the project as well.
    programs = os.path.dirname(sys.executable)  # noqa: PTH120
    # Anything may stand on sys.path.
    texts = [one for one in path if isinstance(one, str) and one != programs]
    places = (_below(one or folder, base) for one in texts)
    roots = [one for one in places if one is not None and "site-packages" not in one]
    if roots:
        found["sys.path"] = os.pathsep.join(dict.fromkeys(roots))
    if sys.warnoptions:
        found["PYTHONWARNINGS"] = ",".join(sys.warnoptions)
    if sys.flags.dev_mode:
        found["PYTHONDEVMODE"] = "1"
    return found


def _below(place: str, base: str) -> str | None:
    """A place relative to a folder; None if it lies elsewhere."""
    place = os.path.abspath(place)  # noqa: PTH100
    if place != base and not place.startswith(base + os.sep):
        return None
    return os.path.relpath(place, base).replace(os.sep, "/")


def noted(environ: Mapping[str, str], project: str) -> str:
    """Hashes of the names and values, in one text."""
    service = any(name in environ for name in _SERVICES)
    return "".join(
        sorted(
            _hash(project, name) + _hash(project, name, value)
            for name, value in environ.items()
            if not _is_passing(name, service)
        )
    )


def _is_passing(name: str, service: bool) -> bool:
    if name in _ALWAYS:
        return False
    if name in _PASSING or name.startswith(_PASSING_STARTS) or name.endswith(_PASSING_ENDS):
        return True
    return service and (name.startswith(_BUILD_STARTS) or name.endswith(_BUILD_ENDS))


def asked_for(sources: Iterable[bytes]) -> Asked:
    """Names that code may ask for.

    These are all words of the files that look at the environment, as they are and in upper case,
    with the prefixes that such a file names; and upper-case texts in other files.
    """
    words: set[bytes] = set()
    others: set[bytes] = set()
    keys: set[bytes] = set()
    for source in sources:
        others.update(re.findall(_HANDED_ON, source))
        if re.search(_ASKS, source):
            words.update(re.findall(_WORD, source))
            keys.update(re.findall(_KEY, source))
    upper = {word.upper() for word in words}
    prefixes = sorted(word for word in words & upper if word.endswith(b"_"))[:_MOST_PREFIXES]
    behind = sorted(upper | others)[:_MOST_PREFIXED] if prefixes else ()
    whole = {prefix + name for prefix in prefixes for name in behind}
    names = frozenset(name.decode() for name in words | upper | others | whole)
    return Asked(names.union(_ALWAYS), frozenset(map(bytes.decode, keys)))


def names_to_keep(asked: Asked, project: str, several: Iterable[str]) -> list[str]:
    """Names to keep with a run, so that it can be judged again without the project's files.

    Any word may be a secret, but not the name of a variable that one of the runs had (``several``
    is what they noted).
    """
    had = {name for text in several for name in _read(text)}
    found = {name for name in asked.names if _hash(project, name) in had}
    return sorted(found | asked.keys)[:_MOST_KEPT]


def changed_variables(
    old: RunHead, new: RunHead, names: Callable[[], Iterable[str]]
) -> tuple[str, ...]:
    """Those of the names that have another value in one of two runs; they are asked for late."""
    then, now = (one.context.get("variables") for one in (old, new))
    if not isinstance(then, str) or not isinstance(now, str) or then == now:
        return ()
    return other_values(then, now, new.project, names())


def misses(failure: Failure) -> bool:
    """Whether a failure says that something is not where it was sought."""
    return re.search(_MISSING, f"{failure.exception} {failure.text}", re.IGNORECASE) is not None


def that_matter(names: Iterable[str], missing: bool) -> frozenset[str]:
    """Where pytest was started matters to a failure that misses something."""
    return frozenset(names).difference(() if missing else STARTED)


def other_values(then: str, now: str, project: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that have another value, or that only one of the two has."""
    old, new = _read(then), _read(now)
    keys = ((name, _hash(project, name)) for name in sorted(names))
    return tuple(name for name, key in keys if old.get(key) != new.get(key))


def _hash(*parts: str) -> str:
    return h128("variable", *parts)[:_DIGITS]


def _read(text: str) -> dict[str, str]:
    width = 2 * _DIGITS
    return {
        text[at : at + _DIGITS]: text[at + _DIGITS : at + width]
        for at in range(0, len(text), width)
    }
