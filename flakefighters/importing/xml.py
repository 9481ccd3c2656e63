"""JUnit XML read by expat, with limits: no DTD, no entity, nothing deep, nothing huge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, Never
from xml.parsers import expat

from flakefighters.importing.parts import Bounds, ForeignReportError
from flakefighters.records import record

__all__ = ["Case", "Part", "Report", "read_xml"]

#: Elements whose text is kept.  Captured output is not: it is large, and nothing is made of it.
_TOLD: Final = frozenset(
    {"failure", "error", "skipped", "rerunFailure", "rerunError", "flakyFailure", "flakyError"}
)
#: Elements within those that hold the stack in some versions of Surefire.
_STACK: Final = "stackTrace"
_NAMESPACE: Final = "|"


@record
class Part:
    """A ``failure`` or the like within a test case."""

    kind: str
    given: Mapping[str, str]
    text: list[str] = field(default_factory=list)


@record
class Case:
    """A ``testcase``, with the attributes of the suite around it."""

    given: Mapping[str, str]
    suite: Mapping[str, str]
    parts: list[Part] = field(default_factory=list)


@record
class Report:
    """One file."""

    #: Attributes of the outermost element.
    root: Mapping[str, str] = field(default_factory=dict)
    suites: list[Mapping[str, str]] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)


def read_xml(data: bytes, bounds: Bounds) -> Report:
    """Read a report; ForeignReportError for what is none, or hostile."""
    if len(data) > bounds.file_bytes:
        raise ForeignReportError(f"it has more than {bounds.file_bytes:,} bytes")
    reader = _Reader(bounds)
    try:
        reader.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ForeignReportError(f"it is no well-formed XML ({error})") from None
    except (ValueError, LookupError) as error:  # an encoding that Python does not know, or misuses
        raise ForeignReportError(f"its encoding cannot be read ({error})") from None
    return reader.report


class _Reader:
    def __init__(self, bounds: Bounds):
        self.report = Report()
        self._bounds = bounds
        self._open: list[str] = []
        self._suites: list[Mapping[str, str]] = []
        self._case: Case | None = None
        self._part: Part | None = None
        self._kept = 0
        self._elements = 0
        self.parser = expat.ParserCreate(namespace_separator=_NAMESPACE)
        self.parser.buffer_text = True
        # Documents without a DTD have no entities but the five that XML has.
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.EntityDeclHandler = _refuse
        self.parser.ExternalEntityRefHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data

    def _start(self, name: str, given: Mapping[str, str]) -> None:
        name = name.rpartition(_NAMESPACE)[2]
        self._elements += 1
        self._check(name, given)
        if not self._open:
            if name not in ("testsuites", "testsuite"):
                raise ForeignReportError(f"it is no JUnit XML: it begins with {name[:40]}")
            self.report.root = given
        self._open.append(name)
        if name == "testsuite":
            self._suites.append(given)
            self.report.suites.append(given)
        elif name == "testcase":
            self._case = Case(given, self._suites[-1] if self._suites else {})
            self.report.cases.append(self._case)
            if len(self.report.cases) > self._bounds.tests:
                raise ForeignReportError("it has too many tests")
        elif name == "property" and self._case is None and len(self.report.properties) < 1000:
            self.report.properties[given.get("name", "")] = given.get("value", "")
        elif name in _TOLD and self._case is not None:
            self._part = Part(name, given)
            self._kept = 0
            self._case.parts.append(self._part)

    def _check(self, name: str, given: Mapping[str, str]) -> None:
        """ForeignReportError beyond the bounds."""
        if len(self._open) >= self._bounds.depth:
            raise ForeignReportError("it is nested too deeply")
        if self._elements > 20 * self._bounds.tests:
            raise ForeignReportError("it has too many elements")
        if any(len(value) > self._bounds.attribute for value in given.values()):
            raise ForeignReportError(f"an attribute of {name[:40]} is too long")

    def _end(self, name: str) -> None:
        name = name.rpartition(_NAMESPACE)[2]
        self._open.pop()
        if name == "testsuite" and self._suites:
            self._suites.pop()
        elif name == "testcase":
            self._case = None
        elif name in _TOLD:
            self._part = None

    def _data(self, text: str) -> None:
        if self._part is not None and self._open[-1] in (self._part.kind, _STACK):
            room = self._bounds.text - self._kept
            if room > 0:
                self._part.text.append(text[:room])
                self._kept += len(text)


def _refuse(*_: object) -> Never:
    raise ForeignReportError("it has a DTD or entities, which no test report needs")
