"""What travels is what the schema says, no table and no column forgotten."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import UUID, dialect

from flakefighters.history import layout, schema
from flakefighters.sync import tables

#: They belong to one database; of ``arrival`` the trust goes along.
AT_HOME = {"meta", "arrival", "horizon"}
TABLES = {table.name: table for table in schema.define().sorted_tables}


def test_every_table_and_column_travels() -> None:
    assert {*tables.COLUMNS, *AT_HOME} == set(layout.COLUMNS) == set(TABLES)
    for name, columns in layout.COLUMNS.items():
        assert columns == tuple(column.name for column in TABLES[name].columns)
    for name in tables.COLUMNS:
        assert tables.KEYS[name] == tuple(
            column.name for column in TABLES[name].primary_key.columns
        )


def test_uuids_are_written_without_hyphens() -> None:
    for name in tables.COLUMNS:
        uuids = {
            column.name
            for column in TABLES[name].columns
            if isinstance(column.type.dialect_impl(dialect()), UUID)  # type: ignore[no-untyped-call]
        }
        assert uuids == tables._HASHES.get(name, frozenset())


def test_tables_are_filled_after_those_they_refer_to() -> None:
    order = list(layout.COLUMNS)
    for name in order:
        for key in TABLES[name].foreign_keys:
            other = key.column.table.name
            assert other == name or order.index(other) < order.index(name)
