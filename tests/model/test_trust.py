"""Whom a verdict believes: the table of trust and use, and what follows from it."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.model import Came, RunHead, Trust, Use, as_read, believed
from flakefighters.model.trust import TABLE, doubt

RANK: Final = {trust: place for place, trust in enumerate(Trust)}  # most trusted first

PULL_REQUESTS = st.sampled_from([None, "7", "8"])


def head(trust: Trust = Trust.LOCAL, pr: str | None = None, **more: Any) -> RunHead:
    return RunHead(id="f" * 32, project="p", started=1, trust=trust, pr=pr, **more)


HEADS = st.builds(head, st.sampled_from(Trust), PULL_REQUESTS)
USES = st.sampled_from(Use)


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(Trust)
    assert all(set(row) == set(Use) for row in TABLE.values())


@pytest.mark.parametrize("use", Use)
@pytest.mark.parametrize(
    ("evidence", "judged", "expected"),
    [
        # Protected: by all.
        (head(Trust.PROTECTED), head(Trust.PROTECTED), True),
        (head(Trust.PROTECTED), head(Trust.PR, "7"), True),
        (head(Trust.PROTECTED), head(Trust.LOCAL), True),
        # A pull request's: within it, and not on its target, nor on a laptop.
        (head(Trust.PR, "7"), head(Trust.PR, "7"), True),
        (head(Trust.PR, "7"), head(Trust.PROTECTED, "7"), True),
        (head(Trust.PR, "7"), head(Trust.PR, "8"), False),
        (head(Trust.PR, "7"), head(Trust.PROTECTED), False),
        (head(Trust.PR, "7"), head(Trust.LOCAL), False),
        (head(Trust.PR), head(Trust.PROTECTED), False),  # it says that it is of none
        (head(Trust.PR), head(Trust.PR), False),
        # A machine's own: by it.
        (head(Trust.LOCAL), head(Trust.LOCAL), True),
        (head(Trust.LOCAL), head(Trust.PROTECTED), False),
        (head(Trust.LOCAL), head(Trust.PR, "7"), False),
        (head(Trust.LOCAL, "7"), head(Trust.PR, "7"), False),
        # Untrusted: by nobody.
        (head(Trust.UNTRUSTED), head(Trust.LOCAL), False),
        (head(Trust.UNTRUSTED, "7"), head(Trust.PR, "7"), False),
        (head(Trust.UNTRUSTED), head(Trust.UNTRUSTED), False),
    ],
)
def test_trust_by_use(evidence: RunHead, judged: RunHead, expected: bool, use: Use) -> None:
    assert believed(evidence, use, judged) is expected


@pytest.mark.parametrize("trust", [Trust.PROTECTED, Trust.LOCAL])
def test_what_another_pull_request_never_merged_is_no_past_of_ours(trust: Trust) -> None:
    other, main = head(trust, "7"), head(trust)
    for use in (Use.BASELINE, Use.STREAK, Use.BREAK, Use.LABEL):
        assert not believed(other, use, main)
        assert believed(other, use, main, merged=True)
    # The same state is the same, whatever branch it was met on; but nothing is done for it.
    assert believed(other, Use.PROOF, main)
    assert not believed(other, Use.ACT, main)


@given(evidence=HEADS, judged=HEADS, use=USES, merged=st.booleans())
def test_more_trust_is_never_believed_less(
    evidence: RunHead, judged: RunHead, use: Use, merged: bool
) -> None:
    if believed(evidence, use, judged, merged=merged):
        better = evidence._replace(trust=Trust.PROTECTED)
        assert believed(better, use, judged, merged=merged)


@given(judged=HEADS, use=USES, merged=st.booleans(), pr=PULL_REQUESTS)
def test_untrusted_counts_for_nothing(
    judged: RunHead, use: Use, merged: bool, pr: str | None
) -> None:
    assert not believed(head(Trust.UNTRUSTED, pr), use, judged, merged=merged)


@given(evidence=HEADS, judged=HEADS, use=USES)
def test_merging_gains_a_pull_requests_run_nothing(
    evidence: RunHead, judged: RunHead, use: Use
) -> None:
    """Its commit is what such a run says of itself."""
    pull_request = evidence._replace(trust=Trust.PR)
    plain = believed(pull_request, use, judged)
    assert believed(pull_request, use, judged, merged=True) is plain


@given(evidence=HEADS, judged=HEADS)
def test_a_list_of_files_comes_from_a_run_that_is_trusted_as_much(
    evidence: RunHead, judged: RunHead
) -> None:
    """Or from the same pull request, within which its runs are believed."""
    if believed(evidence, Use.FILES, judged) and judged.trust is not Trust.UNTRUSTED:
        of_one = evidence.pr is not None and evidence.pr == judged.pr
        as_much = RANK[evidence.trust] <= RANK[judged.trust]
        assert as_much or (evidence.trust is Trust.PR and of_one)


def test_a_debugger_proves_nothing() -> None:
    run = head(context={"debugger": True})
    assert not believed(run, Use.PROOF, head())
    assert not believed(run, Use.BASELINE, head())
    assert not believed(run, Use.ACT, head())
    assert believed(run, Use.STREAK, head())


@given(run=HEADS, came=st.sampled_from(Came), given_=st.sampled_from([None, *Trust]))
def test_nobody_gains_by_the_way(run: RunHead, came: Came, given_: Trust | None) -> None:
    """Only the user's own word raises trust, only that of a file, and never of the untrusted."""
    read = as_read(run, came, given_)
    if RANK[read.trust] < RANK[run.trust]:
        assert came is Came.FILE
        assert given_ is not None
        assert run.trust is not Trust.UNTRUSTED
        assert not (read.trust is Trust.PROTECTED and run.pr)
    if came is Came.FILE and given_ is None:
        assert read.trust is Trust.UNTRUSTED
    if came is Came.HERE:
        assert read is run


@pytest.mark.parametrize(
    ("run", "came", "words"),
    [
        (head(Trust.PROTECTED), Came.FILE, "came from a file"),
        (head(Trust.UNTRUSTED), Came.HERE, "came from a file"),
        (head(Trust.PR, "7"), Came.HERE, "of another pull request"),
        (head(Trust.LOCAL), Came.ROLES, "on another machine"),
        (head(context={"debugger": True}), Came.HERE, "debugger"),
    ],
)
def test_the_reason_is_true(run: RunHead, came: Came, words: str) -> None:
    assert words in doubt(run, came)
