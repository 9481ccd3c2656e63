"""The flakefighter that looks at how often a test failed by chance before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from flakefighters.fighters.flip_rate import FlipRate, Settings, posterior
from flakefighters.model import Case, Confidence, Failure, Label, Outcome, Past, Phase, Trust
from tests.fighters.cases import case, past

FAILED = Outcome.FAILED


def failed(minutes: int, state: str, **more: Any) -> Past:
    return past(FAILED, minutes=minutes, state=state, **{"signatures": ("sig",), **more})


def passed(minutes: int, state: str) -> Past:
    return past(minutes=minutes, state=state)


def shaky(states: int = 4, **more: Any) -> tuple[Past, ...]:
    """States on which it failed once and passed five times, the newest first."""
    found = []
    for n in range(1, states + 1):
        found.append(failed(100 * n, f"old{n}", **more))
        found += [past(minutes=100 * n + m, state=f"old{n}", **more) for m in range(1, 6)]
    return tuple(found)


def last(*results: Past, **more: Any) -> Case:
    return case(past=results, **more)


def test_what_it_says() -> None:
    said = FlipRate().judge(last(*shaky()))
    assert said is not None
    assert (said.label, said.confidence) == (Label.FLAKY, Confidence.FAIR)
    assert said.reason == (
        "failed in 4 of 24 comparable executions without a change being the cause (16%, 6 to 29%)"
    )
    rate = said.evidence["flip_rate"]
    assert (rate["failures"], rate["executions"], rate["states"]) == (4, 24, 4)
    assert rate["low"] < rate["mean"] < rate["high"]
    assert rate["by_chance"] > 0.98
    assert len(said.evidence["runs"]) == 4
    assert len(json.dumps(said.evidence)) < 2000


def test_states_that_were_tried_once_each() -> None:
    """Then nothing proves chance, but four such failures have no other explanation."""

    def results(fails: int) -> list[Past]:
        return [
            failed(n, f"s{n}x")
            if n % 10 == 5 and n < 10 * fails
            else past(minutes=n, state=f"s{n}x")
            for n in range(1, 50)
        ]

    assert FlipRate().judge(last(*results(1))) is None
    said = FlipRate().judge(last(*results(5)))
    assert said is not None
    assert said.label is Label.FLAKY


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"past": ()}, "nothing known"),
        ({"past": shaky(1)}, "one state"),
        ({"comparable": frozenset({"e2"})}, "another environment"),
        ({"varied": {one.run.id: ("STAGE",) for one in shaky()}}, "other variables"),
        ({"past": shaky(trust=Trust.UNTRUSTED)}, "not believed"),
        ({"past": shaky(pr="7")}, "another pull request"),
        ({"past": shaky(context={"debugger": True})}, "a person took part"),
        ({"signature": "another"}, "never failed so"),
        ({"failure": Failure(phase=Phase.CALL, facts={"property": True})}, "a new example"),
        ({"failure": Failure(phase=Phase.CALL, facts={"collection": True})}, "no test"),
        ({"past": tuple(one for one in shaky() if one.outcome is FAILED)}, "only failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_when_it_is_silent(more: dict[str, Any], why: str) -> None:
    del why
    assert FlipRate().judge(replace(last(*shaky()), **more)) is None


def test_a_state_that_only_fails_is_not_chance() -> None:
    """Five failures on this state without a pass: it is broken, however flaky the test is."""
    before = [failed(n, "s1") for n in range(1, 6)]
    assert FlipRate(Settings(sure=0.9)).judge(last(*before[:1], *shaky())) is not None
    assert FlipRate(Settings(sure=0.9)).judge(last(*before, *shaky())) is None


def test_a_row_of_states_that_fail_is_not_chance() -> None:
    before = [failed(n, f"new{n}") for n in range(1, 6)]
    assert FlipRate().judge(last(*before, *shaky())) is None


def test_a_row_that_ended_with_a_change_raises_nothing() -> None:
    passes = [past(minutes=100 + n, state=f"p{n}") for n in range(20)]
    row = [failed(50 + n, f"b{n}") for n in range(5)]
    later = [past(minutes=10 + n, state=f"q{n}") for n in range(20)]
    rate = posterior(last(*later, *row, *passes))
    assert rate is not None
    assert (rate.failures, rate.executions) == (0, 40)
    assert rate.mean < 0.001
    assert FlipRate().judge(last(*later, *row, *passes)) is None


def test_a_failure_that_was_judged_genuine_does_not_count() -> None:
    guilty = [failed(n * 10 + 5, f"g{n}", labels=("genuine",)) for n in range(4)]
    passes = [past(minutes=n * 10, state=f"p{n}") for n in range(4)]
    rate = posterior(last(*guilty, *passes))
    assert rate is not None
    assert (rate.failures, rate.executions) == (0, 4)


def test_attempts_of_reruns_are_executions() -> None:
    attempts = (FAILED, FAILED, Outcome.PASSED)
    mixed = [
        replace(past(Outcome.MIXED, minutes=n, state=f"m{n}"), attempts=attempts)
        for n in range(1, 5)
    ]
    rate = posterior(last(*mixed))
    assert rate is not None
    assert (rate.failures, rate.executions) == (8, 12)
    without = [replace(one, attempts=()) for one in mixed]
    rate = posterior(last(*without))
    assert rate is not None
    assert (rate.failures, rate.executions) == (4, 8)


def test_skipped_and_killed_executions_tell_nothing() -> None:
    silent = (Outcome.SKIPPED, Outcome.NOT_RUN, Outcome.UNFINISHED, Outcome.XFAILED)
    assert posterior(last(*(past(one, minutes=n) for n, one in enumerate(silent)))) is None
    assert posterior(case()) is None


def test_the_order_of_what_is_known_does_not_matter() -> None:
    results = shaky()
    assert posterior(last(*results)) == posterior(last(*reversed(results)))
    one, other = (FlipRate().judge(last(*some)) for some in (results, results[::-1]))
    assert one == other


def test_a_new_way_to_fail() -> None:
    """It counts where the test fails in another way each time, or has been broken in that way."""
    ways = [
        replace(one, signatures=(f"way {one.run.id}",)) if one.outcome is FAILED else one
        for one in shaky()
    ]
    assert FlipRate().judge(last(*ways)) is not None
    two = [replace(one, signatures=("sig",)) if one.run.state == "old1" else one for one in ways]
    assert FlipRate().judge(last(*two, signature="another")) is not None
    blamed = [
        failed(50 + n, f"b{n}", signatures=("another",), labels=("genuine",)) for n in range(5)
    ]
    calm = [past(minutes=40 + n, state=f"c{n}") for n in range(3)]
    assert FlipRate().judge(last(*calm, *blamed, *ways, signature="another")) is None
    assert FlipRate().judge(last(*calm, *blamed, *ways, signature="new")) is not None


def test_settings() -> None:
    made = last(*shaky())
    assert FlipRate(Settings(states=5)).judge(made) is None
    assert FlipRate(Settings(rate=0.07)).judge(made) is None
    assert FlipRate(Settings(sure=0.9999)).judge(made) is None


def test_cells_of_a_matrix_that_cannot_be_told_apart() -> None:
    """One always fails what the other passes: that is no chance."""
    runs = [
        past(
            outcome,
            minutes=10 * n + m,
            state=f"s{n}x",
            build=f"b{n}",
            job="test",
            attempt=1,
            origin={"host": f"h{m}"},
            signatures=("sig",) if outcome is FAILED else (),
        )
        for n in range(1, 9)
        for m, outcome in enumerate((Outcome.PASSED, FAILED))
    ]
    made = last(*runs)
    head = made.head._replace(build="b0", job="test", attempt=1, origin={"host": "h1"})
    assert posterior(replace(made, head=head)) is None
    alone = [one for n, one in enumerate(runs) if n % 2 == 0 or n in (5, 9)]
    seen = posterior(replace(last(*alone), head=head))
    assert seen is None or seen.failures == 0
