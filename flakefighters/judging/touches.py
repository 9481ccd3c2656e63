"""What the tracers saw, from the report it came with to the case it is judged in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flakefighters.judging.baselines import Lookback
from flakefighters.model import Failure, Imported, Kept, Touch
from flakefighters.tracing import Touched

__all__ = ["touch_of"]


def touch_of(failure: Failure, lookback: Lookback | None) -> Touch | None:
    """What the execution of a failure touched; None if it was not watched."""
    touched = failure.facts.get("touched")
    if touched is None:
        return Touch() if lookback is not None and lookback.watch.empty else None
    mine = Touched.from_json(touched)
    if mine.unknown is not None and mine.unknown.startswith("execution was not watched"):
        return None
    before = Touched.from_json(failure.facts.get("ambient", {}))
    return Touch(
        ran=_units(mine),
        ran_before=_units(before),
        ran_earlier=before.earlier,
        kept=tuple(_kept(before, lookback)) if before.kept and lookback is not None else (),
        imports=frozenset(
            Imported(file=file, modules=modules | {file}, ran=_functions(units))
            for file, modules, units in before.imports
        ),
        imported=mine.imported,
        imported_before=before.imported,
        opened=mine.opened,
        opened_before=before.opened,
        openers=before.openers,
        read_at_import=before.read_at_import,
        children=mine.children,
        children_before=before.children,
        blind=mine.blind,
        unknown=mine.unknown,
    )


def _kept(before: Touched, lookback: Lookback) -> Iterator[Kept]:
    """What earlier tests computed and code may have kept."""
    ran: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for path, name, file, unit in before.kept:
        ran.setdefault((path, name), set()).add((file, unit))
    for keeper in lookback.keepers:
        if keeper.unit in ran:
            readers = keeper.readers
            yield Kept(
                unit=keeper.unit,
                ran=frozenset(ran[keeper.unit]),
                readers=None if readers is None else frozenset(one.unit for one in readers),
            )


def _units(touched: Touched) -> frozenset[tuple[str, str]]:
    return _functions(touched.units)


def _functions(units: Iterable[tuple[str, str | int]]) -> frozenset[tuple[str, str]]:
    return frozenset((path, unit) for path, unit in units if isinstance(unit, str))
