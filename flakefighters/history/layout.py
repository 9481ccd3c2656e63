"""What the schema is called and which version this program speaks; safe to import anywhere."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from flakefighters.history.steps import STEPS
from flakefighters.ids import h64

__all__ = [
    "APPLICATION_ID",
    "OLDEST_READER",
    "SCHEMA_PLACEHOLDER",
    "SCHEMA_VERSION",
    "lock_key",
    "statements",
    "table_names",
]

#: Of the tables: what the last step makes; see ``schema.py`` on when another one is due.
SCHEMA_VERSION: Final = STEPS[-1].version if STEPS else 1
#: The oldest schema version whose clients can still read what this one writes.
OLDEST_READER: Final = STEPS[-1].oldest_reader if STEPS else 1
#: In the header of a SQLite file: "FlkF".
APPLICATION_ID: Final = 0x466C6B46
#: Stands for the quoted name of the schema in PostgreSQL's statements.
SCHEMA_PLACEHOLDER: Final = "__schema__"

# Between two statements; occurs in none.
SEPARATOR: Final = ";\n\n"

_FOLDER: Final = Path(__file__).parent / "ddl"


@lru_cache
def statements(dialect: str, version: int = SCHEMA_VERSION) -> tuple[str, ...]:
    """The statements that create a history of this version, in order."""
    text = (_FOLDER / f"{dialect}-{version}.sql").read_text(encoding="utf-8")
    return tuple(each for each in text.split(SEPARATOR) if each.strip())


@lru_cache
def table_names() -> tuple[str, ...]:
    """The tables of a history of this version, in an order in which they can be filled."""
    found = (
        re.match(r"CREATE TABLE __schema__\.(\w+)", each.strip())
        for each in statements("postgresql")
    )
    return tuple(match[1] for match in found if match)


def lock_key(schema: str) -> int:
    """The key of the advisory lock that writers share and maintenance takes for itself."""
    return h64("flakefighters", "lock", schema)
