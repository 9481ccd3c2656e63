"""Evidence is told in sentences."""

from __future__ import annotations

import pytest

from flakefighters.reports.evidence import evidence_lines

RUN = "0199000000007000800000000000aaaa"


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"baseline": RUN, "commit": "a1b2c3d4e5"}, ["compared with run aaaa, commit a1b2c3d"]),
        ({"considered": 1}, ["1 change looked at"]),
        (
            {"touched": [["ran", "changed", "shop/tax.py", "tax", 12, "body"]], "more": 0},
            ["touched: ran tax in shop/tax.py, line 12"],
        ),
        ({"passes": [RUN], "passed": 1, "state": "x"}, ["passed in run aaaa"]),
        ({"attempts": [[1, "F"], [2, "."]]}, ["attempt 1 failed, attempt 2 passed"]),
        ({"runs": 0}, ["no earlier result seen"]),
        ({"by": "retry", "run": RUN, "was": "genuine"}, ["proved by run aaaa", "was: genuine"]),
        ({"doubts": []}, []),
        ({"signature": "AssertionError\nassert # == #"}, ["failing alike: AssertionError"]),
        ({"since": RUN}, ["genuine since run aaaa"]),
        (
            {"doubts": [["elsewhere", "passed in CI (a), fails here"], ["kept", "it is kept"]]},
            ["in doubt: passed in CI (a), fails here; it is kept"],
        ),
        (
            {"touched": [["runs with", "setting", "timezone", None, None, "changed"]]},
            ["touched: runs with the time zone"],
        ),
        ({"a_new_key": {"deep": [1, {"x": True}]}}, ["a new key: deep 1, x yes"]),
        ({"touched": "not as it was", "runs": {"a": 1}}, ["touched: not as it was", "runs: a 1"]),
        ({"many": list(range(9))}, ["many: 0, 1, 2, 3, 4 and 4 more"]),
    ],
)
def test_sentences(evidence: dict[str, object], said: list[str]) -> None:
    assert list(evidence_lines(evidence)) == said
