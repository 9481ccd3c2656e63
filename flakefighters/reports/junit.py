"""The verdict as a property in pytest's JUnit report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flakefighters.model import Verdict

__all__ = ["Properties"]


class Properties:
    """Remembers the report's elements of tests that failed, and adds the verdicts to them.

    pytest has no public way to do this at the end of a session, so everything here is tried and
    left alone if it is not as expected.
    """

    def __init__(self, config: Any):
        self._xml: Any = None
        self._known: dict[str, Any] = {}
        if getattr(config.option, "xmlpath", None):
            try:
                from _pytest.junitxml import xml_key

                self._key = xml_key
                self._config = config
                self._xml = config
            except ImportError:
                return

    def failed(self, report: Any) -> None:
        """A report that did not pass is about to be written."""
        if self._xml is None:
            return
        try:
            xml = self._config.stash.get(self._key, None)
            if xml is not None:
                self._known[report.nodeid] = xml.node_reporter(report)
        except Exception:  # private to pytest: a report without our property is still a report
            self._xml = None

    def write(self, verdicts: Sequence[Verdict], pytests: Callable[[str], str]) -> None:
        """Add ``flakefighters_verdict`` and ``flakefighters_reason``, the worst verdict first."""
        rank = {"genuine": 0, "undecided": 1, "flaky": 2}
        for verdict in sorted(verdicts, key=lambda one: -rank[one.label.value]):
            reporter = self._known.get(pytests(verdict.nodeid))
            if reporter is None:
                continue
            try:
                _set(reporter, "flakefighters_verdict", verdict.label.value)
                _set(reporter, "flakefighters_reason", verdict.reason)
            except Exception:  # as above
                return


def _set(reporter: Any, name: str, value: str) -> None:
    if "to_xml" not in vars(reporter):  # not finalized yet
        reporter.properties[:] = [pair for pair in reporter.properties if pair[0] != name]
        reporter.add_property(name, value)
        return
    from xml.etree import ElementTree as ET

    element = reporter.to_xml()
    properties = element.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        element.insert(0, properties)
    for old in properties.findall("property"):
        if old.get("name") == name:
            properties.remove(old)
    properties.append(ET.Element("property", name=name, value=_xml_safe(value)))


def _xml_safe(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        character
        if character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or (character >= "\ue000" and character not in "\ufffe\uffff")
        else "?"
        for character in text
    )
