"""Verdicts as commands that a CI service reads from a job's log.

The text of a command comes from tests.  Each service has one function that makes such text safe in
each part of its commands: nothing in it ends the command or begins another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flakefighters.model import Label
from flakefighters.records import NamedTuple
from flakefighters.reports.escape import escape
from flakefighters.reports.markdown_text import cut
from flakefighters.reports.verdicts import WORST

__all__ = ["COMMANDS", "MOST", "Place", "Told", "azure", "azure_data", "azure_property", "github"]
__all__ += ["github_data", "github_property", "ordered", "teamcity", "teamcity_value"]

#: GitHub shows no more errors, and no more warnings, of one step.
MOST: Final = 10
#: Characters of a name or a reason.
_LONGEST: Final = 500
#: How older runners begin a command, anywhere in a line.
_INLINE: Final = re.compile(r"#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)
_GITHUB: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_AZURE: Final = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_TEAMCITY: Final = {"|": "||", "'": "|'", "[": "|[", "]": "|]", "\r": "|r", "\n": "|n"}


class Place(NamedTuple):
    """Where a failure is: a path relative to the repository's root, and a line from 1 on."""

    path: str
    line: int | None = None


class Told(NamedTuple):
    """One failure of the last attempt at a test, and the verdict on it."""

    label: Label
    #: As pytest prints it.
    nodeid: str
    reason: str
    place: Place
    #: The phase or subtest if it is not the call.
    part: str | None = None
    introduced: bool = False
    #: What the verdict rests on, one sentence each.
    evidence: Sequence[str] = ()
    #: The traceback.
    text: str = ""

    @property
    def why(self) -> str:
        """The reason, with where and whether it is new."""
        before = f"{self.part}: " if self.part else ""
        return f"{before}{self.reason}" + (" (new: introduced here?)" if self.introduced else "")


def ordered(failures: Sequence[Told]) -> list[Told]:
    """Genuine failures first, then undecided, then flaky ones."""
    return sorted(failures, key=lambda one: WORST.index(one.label))


# -- escaping: one function for each part of a command ---------------------------------------------


def github_data(text: str) -> str:
    """The message of a command of GitHub Actions."""
    return _encoded(text, _GITHUB)


def github_property(text: str) -> str:
    """A value between ``name=`` and a comma or colon."""
    return _encoded(text, {**_GITHUB, ":": "%3A", ",": "%2C"})


def azure_data(text: str) -> str:
    """The message of a command of Azure Pipelines."""
    return _encoded(text, _AZURE)


def azure_property(text: str) -> str:
    """A value between ``name=`` and a semicolon or bracket."""
    return _encoded(text, {**_AZURE, "]": "%5D", ";": "%3B"})


def teamcity_value(text: str) -> str:
    """A value between single quotes in a service message."""
    return _encoded(text, _TEAMCITY)


def _encoded(text: str, code: Mapping[str, str]) -> str:
    """One visible line without the beginning of any service's command, then encoded."""
    shown = _INLINE.sub("\\\\x23", escape(text, "terminal"))
    return "".join(code.get(one, one) for one in shown)


# -- commands --------------------------------------------------------------------------------------


def github(failures: Sequence[Told]) -> list[str]:
    """Annotations: errors for genuine failures, warnings for others, ten of each at most."""
    return _ten_of_each(failures, _github)


def _github(one: Told, kind: str) -> str:
    where = f"file={github_property(one.place.path)}"
    if one.place.line is not None:
        where += f",line={one.place.line}"
    title = github_property(_cut(f"{one.label.value.upper()} {one.nodeid}"))
    return f"::{kind} {where},title={title}::{github_data(_cut(one.why))}"


def azure(failures: Sequence[Told]) -> list[str]:
    """Issues of a task, which the build's page lists; ten of each kind at most."""
    return _ten_of_each(failures, _azure)


def _azure(one: Told, kind: str) -> str:
    where = f"type={kind};sourcepath={azure_property(one.place.path)}"
    if one.place.line is not None:
        where += f";linenumber={one.place.line}"
    return f"##vso[task.logissue {where}]{azure_data(_said(one))}"


def _ten_of_each(failures: Sequence[Told], shown: Callable[[Told, str], str]) -> list[str]:
    """Errors for genuine failures, then warnings for the others."""
    kinds: dict[str, list[Told]] = {"error": [], "warning": []}
    for one in ordered(failures):
        kinds["error" if one.label is Label.GENUINE else "warning"].append(one)
    return [shown(one, kind) for kind, some in kinds.items() for one in some[:MOST]]


def teamcity(failures: Sequence[Told]) -> list[str]:
    """Messages in the build's log.

    Their status is WARNING for each verdict: an ERROR fails builds that are set up to fail on error
    messages, and the exit code is pytest's to decide.
    """
    return [
        f"##teamcity[message text='{teamcity_value(_said(one))}' status='WARNING']"
        for one in ordered(failures)[: 2 * MOST]
    ]


#: By the service's name, as :mod:`flakefighters.profiles.ci_table` has it.
COMMANDS: Final[Mapping[str, Callable[[Sequence[Told]], list[str]]]] = {
    "GitHub Actions": github,
    "Azure Pipelines": azure,
    "TeamCity": teamcity,
}


def _said(one: Told) -> str:
    return f"{one.label.value.upper()} {_cut(one.nodeid)} - {_cut(one.why)}"


def _cut(text: str) -> str:
    return cut(text, _LONGEST)
