"""The lines of pytest's section: one for each failure, or for each cause of many."""

from __future__ import annotations

from flakefighters.model import JOINT, Confidence, Failure, Label, Phase, Verdict
from flakefighters.reports.terminal import (
    MOST,
    Group,
    counted,
    grouped,
    left_out,
    proved_lines,
    verdict_line,
)

SECOND = 1_000_000


def failure(
    number: int, label: Label, reason: str, *, place: str | None = None, introduced: bool = False
) -> Group:
    nodeid = f"tests/test_a.py::test_{number}"
    verdict = Verdict(
        label=label,
        fighter=JOINT,
        version=1,
        confidence=Confidence.FAIR,
        reason=reason,
        nodeid=nodeid,
        introduced=introduced,
    )
    return Group(verdict, nodeid, place, Failure(Phase.CALL))


def shown(failures: list[Group], *, every: bool = False) -> list[str]:
    lines = map(verdict_line, grouped(failures, every=every))
    return [line.word + line.rest for line in lines]


def test_few_failures_have_a_line_each_the_genuine_first() -> None:
    failures = [
        failure(1, Label.FLAKY, "passed on the same state"),
        failure(2, Label.FLAKY, "passed on the same state", place="in setup"),
        failure(3, Label.GENUINE, "ran tax()"),
        failure(4, Label.UNDECIDED, "never passed"),
    ]
    assert shown(failures) == [
        "GENUINE tests/test_a.py::test_3 - ran tax()",
        "UNDECIDED tests/test_a.py::test_4 - never passed",
        "FLAKY tests/test_a.py::test_1 - passed on the same state",
        "FLAKY tests/test_a.py::test_2 - in setup: passed on the same state",
    ]
    assert left_out(failures, grouped(failures, every=False)) is None


def test_many_failures_share_lines_by_verdict_and_reason() -> None:
    failures = [failure(number, Label.UNDECIDED, "many at once") for number in range(200)]
    failures.insert(50, failure(500, Label.GENUINE, "ran tax()", place="in setup"))
    failures.append(failure(501, Label.UNDECIDED, "many at once", introduced=True))
    assert shown(failures) == [
        "GENUINE tests/test_a.py::test_500 - in setup: ran tax()",
        "UNDECIDED tests/test_a.py::test_0 and 199 more - many at once",
        "UNDECIDED tests/test_a.py::test_501 - many at once (new: introduced here?)",
    ]
    assert left_out(failures, grouped(failures, every=False)) == "-v lists all 202 failures"
    assert len(shown(failures, every=True)) == 202
    assert left_out(failures, grouped(failures, every=True)) is None
    assert counted(failures) == "1 genuine, 201 undecided"


def test_many_reasons_leave_room_for_each_verdict() -> None:
    failures = [failure(number, Label.GENUINE, f"ran f{number}()") for number in range(50)]
    failures += [failure(number, Label.FLAKY, f"passed in {number}") for number in range(60, 90)]
    lines = shown(failures)
    assert len(lines) == MOST
    assert [line.split()[0] for line in lines] == ["GENUINE"] * 17 + ["FLAKY"] * 3
    rest = left_out(failures, grouped(failures, every=False))
    assert rest == "and 33 genuine, 27 flaky for other reasons; -v lists all 80 failures"


def earlier(run: str, number: int, was: Label, at: int = 0) -> Verdict:
    return Verdict(
        label=Label.FLAKY,
        fighter=JOINT,
        version=1,
        confidence=Confidence.PROVED,
        reason="passed on the same state in run aaaa, 20 seconds later",
        evidence={"was": was.value, "was_at": at},
        run=run,
        nodeid=f"test_{number}",
    )


def proved(verdicts: list[Verdict], *, every: bool = False) -> list[str]:
    names = [one.nodeid for one in verdicts]
    lines = proved_lines(names, verdicts, 20 * SECOND, "03cccc", every=every, where="terminal")
    return [line.word + line.rest for line in lines]


def test_a_proof_names_the_newest_run_and_what_was_said_there() -> None:
    verdicts = [earlier("01aaaa", 1, Label.UNDECIDED), earlier("02bbbb", 1, Label.GENUINE)]
    (line,) = proved(verdicts[1:])
    assert line == (
        "FLAKY test_1 - failed in run bbbb (20 seconds ago) on this state, passes now "
        "(was: genuine)"
    )
    (line,) = proved(verdicts)
    assert "in run bbbb (20 seconds ago) and 1 other run on this state, passes now" in line


def test_a_proof_that_was_delivered_names_its_run() -> None:
    verdict = earlier("02bbbb", 1, Label.GENUINE)
    late = verdict._replace(evidence={**verdict.evidence, "run": "01aaaa"})
    (line,) = proved([late])
    assert line.endswith(
        "failed in run bbbb (20 seconds ago) on the same state, passed in run aaaa (was: genuine)"
    )


def test_many_proofs_share_lines() -> None:
    verdicts = [earlier("01aaaa", number, Label.UNDECIDED) for number in range(40)]
    verdicts.append(earlier("01aaaa", 50, Label.GENUINE))
    lines = proved(verdicts)
    assert lines[0] == (
        "FLAKY test_0 and 39 more - failed in run aaaa (20 seconds ago) on this state, pass now "
        "(was: undecided)"
    )
    assert len(lines) == 2
    assert len(proved(verdicts, every=True)) == 41
