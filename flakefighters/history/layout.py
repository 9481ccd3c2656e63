"""What the schema is called, its tables, and which version this program speaks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from flakefighters.history import run_columns
from flakefighters.history.steps import STEPS
from flakefighters.ids import h64, uuid7

__all__ = [
    "APPLICATION_ID",
    "COLUMNS",
    "PARTS",
    "SCHEMA_PLACEHOLDER",
    "SCHEMA_VERSION",
    "inserting",
    "lock_key",
    "meta_rows",
    "statements",
]

#: Of the tables: what the last step makes; see ``schema.py`` on when another one is due.
SCHEMA_VERSION: Final = STEPS[-1].version if STEPS else 1
#: The oldest schema version whose clients can still read what this one writes.
OLDEST_READER: Final = STEPS[-1].oldest_reader if STEPS else 1
#: In the header of a SQLite file: "FlkF".
APPLICATION_ID: Final = 0x466C6B46
#: Stands for the quoted name of the schema in PostgreSQL's statements.
SCHEMA_PLACEHOLDER: Final = "__schema__"

#: The columns of each table, in an order in which the tables can be filled.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    name: tuple(columns.split())
    for name, columns in {
        "meta": "key value",
        "project": "id identity label",
        "test": "id project nodeid masked",
        "suite": "id n base added removed places",
        "listing": "id n base files",
        "state": "id tree digest",
        "environment": "id key settings distributions",
        "sequence": "id body",
        "failure_text": "id signature signature_version exception text",
        "run": " ".join(run_columns.NAMES),
        "execution": "run test attempt outcome durations reason worker output",
        "failure": "run test attempt n phase subtest failure_text facts",
        "arrival": "run trust received via",
        "evidence": "id body",
        "verdict": "run id test attempt n fighter version label confidence introduced reason "
        "evidence at",
        "event": "id project kind target value supersedes by at content_hash",
        "tombstone": "kind id at by",
        "horizon": "project before",
    }.items()
}

#: What belongs to one run, in an order in which it can be removed before the run.
PARTS: Final = ("verdict", "failure", "execution", "arrival")

# Between two statements; occurs in none.
SEPARATOR: Final = ";\n\n"

_FOLDER: Final = Path(__file__).parent / "ddl"


@lru_cache
def statements(dialect: str, version: int = SCHEMA_VERSION) -> tuple[str, ...]:
    """The statements that create a history of this version, in order."""
    text = (_FOLDER / f"{dialect}-{version}.sql").read_text(encoding="utf-8")
    return tuple(each for each in text.split(SEPARATOR) if each.strip())


def inserting(table: str, prefix: str = "") -> str:
    """The statement that inserts rows, up to their values."""
    names = ", ".join(f'"{name}"' for name in COLUMNS[table])
    return f"INSERT INTO {prefix}{table} ({names}) VALUES "  # noqa: S608


def meta_rows() -> list[tuple[str, str]]:
    """What a new history says of itself."""
    return [
        ("schema_version", str(SCHEMA_VERSION)),
        ("oldest_reader", str(OLDEST_READER)),
        ("database_id", uuid7()),
    ]


def lock_key(schema: str) -> int:
    """The key of the advisory lock that writers share and maintenance takes for itself."""
    return h64("flakefighters", "lock", schema)
