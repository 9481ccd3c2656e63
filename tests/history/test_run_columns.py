"""The table of the columns of ``run``: nothing of a head is forgotten on any way."""

from __future__ import annotations

from typing import Any

import pytest

from flakefighters.history import History, content, heads
from flakefighters.history.run_columns import COLUMNS, HASHED, OF_HEAD, Form
from flakefighters.model import Completeness, RunHead
from flakefighters.reports.records import whole_run_record
from tests.history.made_runs import make_run

OTHER: dict[Form, Any] = {
    Form.PLAIN: 7,
    Form.TEXT: "odd \x00 text",
    Form.FLAG: True,
    Form.WORD: Completeness.PARTIAL,
    Form.MAPPING: {"a": 1},
}
#: Names of shared facts, which are hashed with what they name; and the run's own.
KEYS = {"id", "state", "environment"}


def test_every_field_of_a_head_has_its_column() -> None:
    names = set(RunHead._fields)
    assert names == set(OF_HEAD) | set(heads._ELSEWHERE)
    assert len({column.name for column in COLUMNS}) == len(COLUMNS)


@pytest.mark.parametrize("field", sorted(OF_HEAD.keys() - KEYS))
def test_a_field_is_hashed_stored_read_and_shown(field: str, history: History) -> None:
    plain = make_run()
    value = OTHER[OF_HEAD[field].form]
    run = plain._replace(head=plain.head._replace(**{field: value}))
    changed = content.content_hash(run, None) != content.content_hash(plain, None)
    assert changed == (field in HASHED)
    history.save(run)
    loaded = history.load(run.head.id)
    assert getattr(loaded.head, field) == value
    if field not in ("clock_offset", "extra"):
        record = whole_run_record(loaded, ())
        assert record[f"{field}_us" if field in ("started", "ended") else field] == value
