"""Which earlier failures are known to be what."""

from __future__ import annotations

from typing import Any

import pytest

from flakefighters.judging.experience import known, to_confirm
from flakefighters.model import JOINT, Confidence, Label, Met, Pass, Verdict
from flakefighters.model.decisions import MARK, Event, signature_target

FLAKY, GENUINE, UNDECIDED = Label.FLAKY, Label.GENUINE, Label.UNDECIDED


def met(run: str = "r1", started: int = 10, state: str | None = "s1", **more: Any) -> Met:
    given: dict[str, Any] = {"nodeid": "t", "attempt": 1, "index": 0, "environment_key": "e"}
    given |= {"exception": "ValueError", "signature": "sig"} | more
    return Met(run=run, started=started, state=state, **given)


def said(
    one: Met, label: Label, confidence: Confidence = Confidence.STRONG, **more: Any
) -> Verdict:
    return Verdict(label, JOINT, 1, confidence, "", {}, more.get("introduced", False), *one.key)


def passed(started: int, state: str | None = "s2", key: str | None = "e") -> Pass:
    return Pass(f"p{started}", started, state, key)


def labels(
    *some: tuple[Met, Verdict | None], passes: tuple[Pass, ...] = (), events: Any = ()
) -> Any:
    verdicts = {one.key: verdict for one, verdict in some if verdict is not None}
    every = [one for one, _ in some]
    ended = to_confirm(every, verdicts)
    found = known(every, verdicts, dict.fromkeys(ended, passes), events)
    return [found.get(one.key) for one in every]


def one_label(label: Label, *passes: Pass, events: Any = (), **more: Any) -> Any:
    one = met()
    return labels((one, said(one, label, **more)), passes=passes, events=events)[0]


def test_proof_is_known() -> None:
    sure = Confidence.PROVED
    assert one_label(FLAKY, confidence=sure) == (FLAKY, "proof")
    assert one_label(GENUINE, confidence=sure) == (GENUINE, "proof")
    assert one_label(UNDECIDED, confidence=sure) is None
    assert one_label(FLAKY, confidence=sure, introduced=True) is None


def test_what_was_supposed_teaches_nothing() -> None:
    assert one_label(FLAKY) is None
    assert one_label(GENUINE) is None
    assert one_label(FLAKY, passed(20)) is None
    assert labels((met(), None), passes=(passed(20),)) == [None]


def test_a_change_that_ends_a_failure_confirms_it() -> None:
    assert one_label(GENUINE, passed(20)) == (GENUINE, "fix")


@pytest.mark.parametrize(
    "passes",
    [
        (passed(20), passed(5, "s1")),  # it had passed on this state
        (passed(20), passed(30, "s1")),  # or did so later
        (passed(20, "s1"),),
        (passed(5),),  # only before
        (passed(20, None),),  # who knows on what
        (passed(20, key="other"),),  # elsewhere
    ],
)
def test_what_confirms_nothing(passes: tuple[Pass, ...]) -> None:
    assert one_label(GENUINE, *passes) is None


def test_it_must_go_away_for_good() -> None:
    first, again = met(), met("r2", 30, "s3")
    both = ((first, said(first, GENUINE)), (again, said(again, GENUINE)))
    assert labels(*both, passes=(passed(20), passed(40))) == [None, None]
    assert labels(*both, passes=(passed(40),)) == [(GENUINE, "fix")] * 2
    # A failure of its own does not matter; one that is proved flaky does.
    other = met("r2", 30, "s3", signature="another")
    assert labels(both[0], (other, None), passes=(passed(20),)) == [(GENUINE, "fix"), None]
    flaky = said(again, FLAKY, Confidence.PROVED)
    assert labels(both[0], (again, flaky), passes=(passed(40),))[0] is None


def test_without_a_state_nothing_is_confirmed() -> None:
    one = met(state=None)
    assert labels((one, said(one, GENUINE)), passes=(passed(20),)) == [None]


def mark(state: str, target: str = "t", at: int = 15, name: str = "1") -> Event:
    return Event(name, "p", MARK, target, {"state": state}, "ann", at)


def test_people_tell_as_well() -> None:
    signature = signature_target("sig")
    assert one_label(UNDECIDED, events=[mark("flaky")]) == (FLAKY, "mark")
    assert one_label(FLAKY, events=[mark("genuine", signature)]) == (GENUINE, "mark")
    assert one_label(UNDECIDED, events=[mark("fixed")]) is None
    assert one_label(UNDECIDED, events=[mark("none")]) is None
    assert one_label(UNDECIDED, events=[mark("flaky", "another")]) is None
    # What failed after the mark its author cannot have seen, but a signature names the failure.
    assert one_label(UNDECIDED, events=[mark("flaky", at=5)]) is None
    assert one_label(UNDECIDED, events=[mark("flaky", signature, at=5)]) == (FLAKY, "mark")
    # Who do not agree are not heard.
    both = [mark("flaky"), mark("genuine", signature, name="2")]
    assert one_label(UNDECIDED, events=both) is None
    assert one_label(UNDECIDED, events=[mark("flaky"), mark("none", signature, name="2")]) == (
        FLAKY,
        "mark",
    )


def test_proof_before_a_fix_before_a_mark() -> None:
    events = [mark("flaky")]
    assert one_label(GENUINE, passed(20), events=events) == (GENUINE, "fix")
    assert one_label(GENUINE, confidence=Confidence.PROVED, events=events) == (GENUINE, "proof")
