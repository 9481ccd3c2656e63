"""Experiments: a test run again to find out what reading cannot tell."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from flakefighters.records import NamedTuple, record

__all__ = ["Arm", "Bisection", "Result", "Step", "Trial"]


class Arm(enum.StrEnum):
    """Under which conditions a test is run again."""

    ALONE = "alone"  # by itself, where the run took place
    COPY = "copy"  # by itself, in a fresh copy of the state that was tested
    COMPANY = "company"  # after the tests that ran before it in its process
    FEWER = "fewer"  # the same after fewer of these tests, to find the one that matters
    BEFORE = "before"  # by itself, in a copy of the state on which it last passed
    BEFORE_COMPANY = "before in company"  # in that copy, after the same tests


class Result(enum.StrEnum):
    """What a trial showed of one failure."""

    PASSED = "passed"
    ALIKE = "failed alike"  # with the signature in question
    OTHERWISE = "failed otherwise"
    NOTHING = "told nothing"  # killed, skipped, not found, or the copy is not fit


class Trial(NamedTuple):
    """One test run again in a fresh process: what was done, and what came of it."""

    arm: Arm
    result: Result
    #: The state that was tested, and its commit if it is one.
    state: str | None = None
    commit: str | None = None
    #: How many tests ran before it in the process, and their node ids if they are few.
    company: int = 0
    after: tuple[str, ...] = ()
    #: A test beside it that is known to pass on both states, and whether it did.
    control: str | None = None
    control_passed: bool | None = None
    at: int = 0
    #: Seconds in thousandths.
    took: int = 0
    #: Why it told nothing, None if it did.
    note: str | None = None
    #: The end of what the failure said, redacted.
    output: str = ""

    def to_json(self) -> Mapping[str, Any]:
        """JSON values, without what is not known."""
        plain = {name: value for name, value in self._asdict().items() if value or value is False}
        return {**plain, "arm": self.arm.value, "result": self.result.value}


class Step(NamedTuple):
    """What one commit does to the test."""

    commit: str
    result: Result
    #: The run that knew it; None if it was tried now.
    run: str | None = None
    note: str | None = None


@record
class Bisection:
    """What came of a bisection."""

    #: The commits one of which broke the test, the first of them if there is only one.
    candidates: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    #: Why nothing was found, None if something was.
    reason: str | None = None

    @property
    def broken_by(self) -> str | None:
        """The commit that broke it, if it is only one."""
        return self.candidates[0] if len(self.candidates) == 1 else None
