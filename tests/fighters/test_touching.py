"""Which code that ran before a test matters to it."""

from __future__ import annotations

import pytest

from flakefighters.fighters.touching import touching
from flakefighters.model import Baseline, Change, ChangeKind, Changes, Effect, Reach, Touch
from tests.fighters.cases import case, past

RULE = ("shop/rules.py", "rule")
CHANGE = Change(kind=ChangeKind.FUNCTION, path=RULE[0], unit=RULE[1], line=1)
EFFECT = Effect(change=CHANGE, targets=frozenset({RULE}))
MODULES = frozenset({"tests/test_b.py", "shop/tax.py"})


@pytest.mark.parametrize(
    ("reached", "unknown", "touched"),
    [
        ({"tests/test_a.py", "shop/rules.py"}, None, False),
        ({"tests/test_a.py", "shop/rules.py", "shop/tax.py"}, None, True),
        ({"tests/test_a.py", "shop/tax.py"}, None, False),
        ({"tests/test_a.py", "shop/rules.py"}, "it computes a name", True),
    ],
)
def test_what_ran_in_an_import_matters_to_who_depends_on_it(
    reached: set[str], unknown: str | None, touched: bool
) -> None:
    changes = Changes(changes=(CHANGE,), effects=(EFFECT,))
    passed = Baseline(past=past(state="s0"), changes=changes, watched=True)
    failed = case(
        baseline=passed,
        reach=Reach(files=dict.fromkeys(reached, ""), unknown=unknown),
        touch=Touch(ran_in_imports=frozenset({(MODULES, frozenset({RULE}))})),
    )
    assert bool(touching(failed, passed).touched) is touched
