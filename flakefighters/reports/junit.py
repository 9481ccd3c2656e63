"""Verdicts and attempts in pytest's JUnit report, in the form that CI services read.

Each failing attempt before the last one becomes an element as Maven Surefire writes it:
``flakyFailure`` or ``flakyError`` in a test that passed in the end, ``rerunFailure`` or
``rerunError`` in one that did not.  What pytest counts stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from flakefighters.model import Outcome

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from flakefighters.model import Execution, Run, Verdict

__all__ = ["Properties", "attempt_element", "first_line", "properties"]
__all__ += ["speaking", "xml_safe"]

#: A test case with one of these is one that pytest has counted.
_TELLING: Final = frozenset({"failure", "error", "skipped"})
#: What a test case holds, in Surefire's order.
_ORDER: Final = (
    *("properties", "failure", "rerunFailure", "flakyFailure", "skipped"),
    *("error", "rerunError", "flakyError", "system-out", "system-err"),
)
_OUTPUT: Final = ("system-out", "system-err")
#: The longest message, in characters.
_LONGEST: Final = 500


class Properties:
    """Remembers the report's elements of tests, and completes them when the session is over.

    pytest has no public way to do this at the end of a session, so everything here is tried and
    left alone if it is not as expected.
    """

    def __init__(self, config: Any):
        self._config = config
        #: It is not as expected, and left alone.
        self._broken = False
        #: By node id and worker, in order: a test that runs several times may have several.
        self._known: dict[str, dict[str | None, list[Any]]] = {}
        #: Those of them that pytest has counted as a pass.
        self._passed: set[int] = set()

    def _report(self) -> Any:
        from _pytest.junitxml import xml_key

        return self._config.stash.get(xml_key, None)

    def seen(self, report: Any, worker: str | None) -> None:
        """A report is about to be written."""
        if self._broken or (report.outcome == "passed" and report.when == "setup"):
            return  # it may leave no element
        try:
            xml = self._report()
            if xml is not None:
                known = self._known.setdefault(report.nodeid, {}).setdefault(worker, [])
                reporter = xml.node_reporter(report)
                if not known or known[-1] is not reporter:
                    known.append(reporter)
                if report.outcome == "passed" and report.when == "call":
                    self._passed.add(id(reporter))
        except Exception:  # private to pytest: a report without our part is still a report
            self._broken = True

    def write(self, run: Run, verdicts: Sequence[Verdict], pytests: Callable[[str], str]) -> None:
        """Complete the elements of every test that failed, or was run several times."""
        if self._broken:
            return
        try:
            ordered = self._report().node_reporters_ordered
            spoken = speaking(verdicts) if verdicts else {}
            for nodeid, attempts in run.by_test.items():
                for worker, reporters in self._known.get(pytests(nodeid), {}).items():
                    mine = [one for one in attempts if one.worker in (worker, None)]
                    elements = [_element(one) for one in reporters]
                    counted = [id(one) in self._passed for one in reporters]
                    kept = _complete(elements, counted, mine, spoken.get(nodeid))
                    for reporter, keep in zip(reporters, kept, strict=True):
                        if not keep:
                            ordered.remove(reporter)
        except Exception:  # as above
            return


def _element(reporter: Any) -> Element:
    """The element of a test case, which nothing is added to by pytest any more."""
    if "to_xml" not in vars(reporter):
        reporter.finalize()
    element: Element = reporter.to_xml()
    return element


def speaking(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """The verdict on each test: the worst on its last failing attempt."""
    from flakefighters.reports.verdicts import WORST  # most runs have no verdict

    found: dict[str, Verdict] = {}
    for one in sorted(verdicts, key=lambda one: (one.attempt, -WORST.index(one.label))):
        found[one.nodeid] = one
    return found


def _complete(
    elements: Sequence[Element],
    passed: Sequence[bool],
    attempts: Sequence[Execution],
    verdict: Verdict | None,
) -> Sequence[bool]:
    """Add what is known to the elements of one test; returns which of them are to stay.

    Plugins that run tests again leave an empty element for each earlier attempt, which looks like
    a pass.  pytest has not counted it, and services such as GitLab look at no other.
    """
    telling = [any(part.tag in _TELLING for part in one) for one in elements]
    counted = [one or other for one, other in zip(telling, passed, strict=True)]
    if len(attempts) < 2 or not any(counted):
        counted = [True] * len(elements)
    case = elements[counted.index(True)]
    for name, value in properties(attempts, verdict):
        _set(case, name, value)
    kind = "rerun" if attempts[-1].failures else "flaky"
    each = len(elements) == len(attempts)
    for index, attempt in enumerate(attempts[:-1]):
        if attempt.failures and not (each and telling[index]):
            _insert(case, attempt_element(kind, attempt, elements[index] if each else None))
    return counted


def properties(attempts: Sequence[Execution], verdict: Verdict | None) -> Iterator[tuple[str, str]]:
    if verdict is not None:
        from flakefighters.reports.verdicts import trials_of  # most runs have no verdict

        yield "flakefighters_verdict", verdict.label.value
        yield "flakefighters_reason", verdict.reason
        yield "flakefighters_confidence", verdict.confidence.value
        if verdict.introduced:
            yield "flakefighters_introduced", "true"
        if trials := trials_of(verdict):
            told = "; ".join(f"{one.get('arm')}: {one.get('result')}" for one in trials)
            yield "flakefighters_trials", told
    if len(attempts) > 1:
        yield "flakefighters_attempts", ", ".join(one.outcome.word for one in attempts)
    if verdict is not None:  # Datadog reads properties of such names only
        yield "dd_tags[flakefighters.verdict]", verdict.label.value
        yield "dd_tags[flakefighters.reason]", verdict.reason


def attempt_element(kind: str, attempt: Execution, own: Element | None) -> Element:
    """One failing attempt; ``own`` is the element that pytest made for it, with what it printed."""
    from xml.etree import ElementTree as ET

    first = attempt.failures[0]
    made = ET.Element(
        kind + ("Error" if attempt.outcome is Outcome.ERROR else "Failure"),
        message=xml_safe(first_line(first.text) or first.exception or attempt.outcome.word),
        type=xml_safe(first.exception or attempt.outcome.word),
    )
    trace = ET.SubElement(made, "stackTrace")
    trace.text = xml_safe("\n\n".join(one.text for one in attempt.failures))
    printed = [] if own is None else [part for part in own if part.tag in _OUTPUT]
    made.extend(printed)
    if attempt.output and not printed:
        ET.SubElement(made, "system-out").text = xml_safe(attempt.output)
    return made


def first_line(text: str) -> str:
    """What a traceback ends with: the first line that pytest marks as the error's."""
    marked = re.search(r"^E\s+(\S.*)$", text, re.MULTILINE)
    lines = [marked[1]] if marked else text.strip().splitlines()[-1:]
    return lines[0][:_LONGEST] if lines else ""


def _insert(case: Element, part: Element) -> None:
    """Put a part where Surefire's schema wants it, behind others of its kind."""
    rank = {tag: index for index, tag in enumerate(_ORDER)}
    after = (index for index, one in enumerate(case) if rank.get(one.tag, -1) > rank[part.tag])
    case.insert(next(after, len(case)), part)


def _set(case: Element, name: str, value: str) -> None:
    from xml.etree import ElementTree as ET

    group = case.find("properties")
    if group is None:
        group = ET.Element("properties")
        case.insert(0, group)
    for old in group.findall("property"):
        if old.get("name") == name:
            group.remove(old)
    group.append(ET.Element("property", name=name, value=xml_safe(value)))


def xml_safe(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        character
        if character in "\t\n\r"
        or " " <= character <= "\ud7ff"
        or (character >= "\ue000" and character not in "\ufffe\uffff")
        else "?"
        for character in text
    )
