"""The flavours of JUnit XML: how each is told, and what its names and stacks look like."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flakefighters.importing.parts import Told
from flakefighters.importing.xml import Case, Part, Report
from flakefighters.model import Phase

__all__ = ["FLAVOURS", "Exists", "Flavour", "flavour_of", "told_of"]

#: Whether the project has a file, by its path relative to the base.
Exists = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """One runner's way to write JUnit XML."""

    name: str
    #: Whether a report is of it.
    told: Callable[[Report], bool]
    #: The node id of a test case.
    nodeid: Callable[[Case, Exists], str]
    #: One line of a stack, with the groups "path" and "function"; of which some are left out.
    frame: str | None = None
    foreign: str = r"(?!)"
    #: The stack is printed innermost first.
    innermost_first: bool = True
    #: Each class has a file of its own, "TEST-*.xml": those of a folder are one run.
    together: bool = False
    #: An ``error`` is a failing set-up or tear-down.  Elsewhere it is an unexpected exception.
    error_is_setup: bool = False
    #: ``message`` says nothing: the text does.
    message_in_text: bool = False


def _pytest_id(case: Case, exists: Exists) -> str:
    """tests.test_tax.TestVat + test_rate -> tests/test_tax.py::TestVat::test_rate."""
    name, dotted = case.given.get("name", ""), case.given.get("classname", "")
    file = case.given.get("file", "").replace("\\", "/")
    if not dotted:  # a module that could not be collected
        return file or (name.replace(".", "/") + ".py")
    parts = dotted.split(".")
    at = len(file.removesuffix(".py").split("/")) if file.endswith(".py") else 0
    if not at or "/".join(parts[:at]) + ".py" != file:
        at = _module_end(parts, exists)
        file = "/".join(parts[:at]) + ".py"
    return "::".join([file, *parts[at:], name])


def _module_end(parts: list[str], exists: Exists) -> int:
    """How many parts of a dotted name are the module: a file that is there, else by their looks."""
    for at in range(len(parts), 0, -1):
        if exists("/".join(parts[:at]) + ".py"):
            return at
    for at, part in enumerate(parts, 1):
        if part.startswith("test_") or part.endswith("_test"):
            return at
    classes = (at for at, part in enumerate(parts) if at and part[:1].isupper())
    return next(classes, len(parts))


def _class_id(case: Case, exists: Exists) -> str:  # noqa: ARG001 - a flavour's function
    where = case.given.get("classname") or case.suite.get("name") or case.given.get("file") or "?"
    return f"{where}::{case.given.get('name', '')}"


def _jest_id(case: Case, exists: Exists) -> str:  # noqa: ARG001 - a flavour's function
    where = case.given.get("file") or case.suite.get("file") or case.suite.get("name")
    where = where or case.given.get("classname") or "?"
    return f"{where}::{case.given.get('name', '')}"


def _go_id(case: Case, exists: Exists) -> str:  # noqa: ARG001 - a flavour's function
    # go-junit-report may write the last part of the package as the class.
    suite, where = case.suite.get("name", ""), case.given.get("classname", "")
    where = suite if suite.endswith("/" + where) else where or suite
    return f"{where}::{case.given.get('name', '')}"


def _is_pytest(report: Report) -> bool:
    names = {one.get("name") for one in (report.root, *report.suites)}
    return bool(names & {"pytest", "pytest tests"}) or any(
        part.given.get("type", "").startswith("pytest.")
        for case in report.cases
        for part in case.parts
    )


#: In the order in which they are asked; the last one takes what is left.
FLAVOURS: Final = (
    Flavour(name="pytest", told=_is_pytest, nodeid=_pytest_id, error_is_setup=True),
    Flavour(
        name="Surefire",
        told=lambda report: "java.version" in report.properties
        or any("surefire" in value for value in report.root.values()),
        nodeid=_class_id,
        frame=r"\s*at (?:[\w.@-]+/)?(?P<path>[\w.$]+)\.(?P<function>[\w$<>]+)\(",
        foreign=r"(?:java|javax|jdk|sun|org\.junit|junit|org\.apache\.maven|org\.testng)\.",
        together=True,
    ),
    Flavour(
        name="Go",
        told=lambda report: "go.version" in report.properties,
        nodeid=_go_id,
        frame=r"\s+(?P<path>[\w./-]+\.go):\d+(?P<function>)",
        innermost_first=False,
        message_in_text=True,
    ),
    Flavour(
        name="Jest",
        told=lambda report: report.root.get("name") == "jest tests"
        or any("    at " in line for case in report.cases[:50] for part in case.parts
               for line in part.text[:50] if ".js:" in line or ".ts:" in line),
        nodeid=_jest_id,
        frame=r"\s*at (?:async )?(?:(?P<function>[\w.<>$ ]+) \()?(?P<path>[^()\s]+):\d+:\d+\)?",
        foreign=r".*node_modules|node:",
    ),
    Flavour(name="JUnit", told=lambda report: True, nodeid=_class_id),  # noqa: ARG005
)  # fmt: skip


#: How Maven and Gradle name the file of each class; Gradle's say nothing of Java.
PER_CLASS: Final = "TEST-"


def flavour_of(report: Report, file: str = "") -> Flavour:
    """The first flavour that tells the report to be its own; ``file`` is the name of its file."""
    *_, rest = FLAVOURS
    found = next(one for one in FLAVOURS if one.told(report))
    if found is rest and file.startswith(PER_CLASS):
        return next(one for one in FLAVOURS if one.together)
    return found


def told_of(part: Part, flavour: Flavour) -> Told:
    """What a ``failure`` or ``error`` says."""
    text = "".join(part.text).strip("\n")
    message = part.given.get("message", "")
    if flavour.name == "pytest":
        return _told_by_pytest(message, text)
    if flavour.message_in_text or not message:
        lines = [line for line in text.splitlines() if not re.match(r"\s*(?:===|---) ", line)]
        message = "\n".join(lines[:3])
    exception = _named(part.given.get("type"), r"[A-Za-z_][\w.$]*")
    return Told(exception, message, text or message, tuple(_frames(text, flavour)))


def _named(name: str | None, pattern: str) -> str | None:
    """The name of an exception, if it is one."""
    return name if name and re.fullmatch(pattern, name) else None


def _frames(text: str, flavour: Flavour) -> list[tuple[str, str]]:
    """Paths and functions of a traceback, outermost first."""
    frames: list[tuple[str, str]] = []
    for line in text.splitlines()[:500] if flavour.frame else ():
        found = re.match(flavour.frame or "", line[:500])
        if found is not None and not re.match(flavour.foreign, found["path"]):
            frames.append((found["path"], found["function"] or ""))
    if flavour.innermost_first:
        frames.reverse()
    return frames


_WHERE: Final = re.compile(
    r"(?P<path>[^\s:][^:]*\.\w+):\d+: ?(?:in (?P<function>\w+)|(?P<name>.*))$"
)
#: pytest strips the text, and with it what the first line begins with.
_DEF: Final = re.compile(r"[> ]?\s*(?:async\s+)?def\s+(\w+)")
_PHASE: Final = re.compile(r'failed on (setup|teardown) with "(.*)"$', re.DOTALL)


def _told_by_pytest(message: str, text: str) -> Told:
    """What the long style shows: functions, the line that failed, and where."""
    phase = Phase.CALL
    if (said := _PHASE.match(message)) is not None:
        phase, message = Phase(said[1]), said[2]
    frames: list[tuple[str, str]] = []
    function = source = exception = None
    for line in text.splitlines():
        if (found := _DEF.match(line)) is not None and function is None:
            function = found[1]
        if line.startswith(">"):
            source = line[1:].strip()
        elif (where := _WHERE.match(line)) is not None:
            frames.append((where["path"], where["function"] or function or ""))
            exception = where["name"] or exception
            function = None
    if not message or message == "test failure":
        message = "\n".join(line[1:].strip() for line in text.splitlines() if line.startswith("E "))
    exception = _named(exception, r"[A-Za-z_][\w.]*")
    return Told(exception, message, text or message, tuple(frames), source, phase)
