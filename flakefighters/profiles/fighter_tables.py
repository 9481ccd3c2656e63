"""The settings of flakefighters: which there are, only each flakefighter itself knows.

They are read and merged here, and checked where the flakefighter is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from flakefighters.errors import ConfigError
from flakefighters.profiles import fields

if TYPE_CHECKING:
    from flakefighters.model.choice import Given
    from flakefighters.profiles.resolution import Origin

__all__ = ["FIGHTERS", "given", "merged", "read_table", "read_variable"]


class Layer(Protocol):
    """What one source says."""

    fighters: dict[str, dict[str, Any]]
    origins: dict[tuple[str, ...], Origin]


#: The table that they stand below.
FIGHTERS: Final = "fighters"
_JSON: Final = ("[", "{")


def read_table(value: Any, layer: Layer, origin: Callable[..., Origin]) -> Iterator[ConfigError]:
    """Take ``[fighters.NAME]`` of a file; gives what is wrong with it."""
    if not isinstance(value, dict):
        yield ConfigError(
            "fighters must be a table of tables, such as [fighters.similarity]",
            origin=str(origin(FIGHTERS)),
        )
        return
    for name, body in value.items():
        if not isinstance(body, dict):
            where = str(origin(FIGHTERS, name))
            yield ConfigError(f"the settings of flakefighter {name} must be a table", origin=where)
            continue
        for key, member in body.items():
            _take(layer, name, key, member, origin(FIGHTERS, name, key))


def read_variable(layer: Layer, path: Sequence[str], value: str, where: Origin) -> bool:
    """Take FLAKEFIGHTERS_FIGHTERS__NAME__KEY; False for any other variable."""
    if len(path) != 3 or path[0] != FIGHTERS:
        return False
    found: Any = value
    if value.strip().startswith(_JSON):
        try:
            found = json.loads(value)
        except ValueError:
            found = value  # the flakefighter will say what it wants
    _take(layer, path[1], path[2], found, where)
    return True


def _take(layer: Layer, name: str, key: str, value: Any, where: Origin) -> None:
    if value == "":
        return
    name, key = fields.canonical(name), fields.canonical(key)
    layer.fighters.setdefault(name, {})[key] = value
    layer.origins[FIGHTERS, name, key] = where


def merged(layers: Iterable[Layer]) -> dict[str, dict[str, list[tuple[Any, Origin]]]]:
    """By flakefighter and setting all values with their origins, the one in force first."""
    found: dict[str, dict[str, list[tuple[Any, Origin]]]] = {}
    for layer in layers:
        for name, body in layer.fighters.items():
            for key, value in body.items():
                known = found.setdefault(name, {}).setdefault(key, [])
                known.append((value, layer.origins[FIGHTERS, name, key]))
    return found


def given(
    values: dict[str, dict[str, Any]], layers: Iterable[Layer]
) -> dict[str, dict[str, Given]]:
    """Merged values with where each was set."""
    from flakefighters.model.choice import Given

    known = merged(layers)
    return {
        name: {key: Given(value, str(known[name][key][0][1])) for key, value in body.items()}
        for name, body in values.items()
    }
