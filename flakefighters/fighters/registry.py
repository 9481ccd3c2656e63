"""All flakefighters that there are, and those that are to be asked.

Other packages bring theirs by an entry point of the group ``flakefighters``: its name is that of
the flakefighter, its value the class.  See docs/flakefighters.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from flakefighters.fighters import classes
from flakefighters.fighters.settings import checked, is_on
from flakefighters.fighters.third_party import Guarded, refusal
from flakefighters.model import Flakefighter, Need
from flakefighters.model.choice import ENABLED, Choice, Given
from flakefighters.records import NamedTuple
from flakefighters.words import trouble

__all__ = ["GROUP", "Entry", "builtin_names", "choose", "known", "needed"]

GROUP: Final = "flakefighters"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Entry(NamedTuple):
    """A flakefighter that can be asked."""

    name: str
    make: Any
    #: "built in", or the package that brings it: "acme-fighters 1.2".
    origin: str

    @property
    def default(self) -> bool:
        """Whether it is asked unless somebody says otherwise."""
        return bool(getattr(self.make, "default", True))

    @property
    def settings(self) -> type | None:
        """The class of its settings, None if it has none."""
        return getattr(self.make, "settings_model", None)

    @property
    def builtin(self) -> bool:
        return self.origin == _BUILT_IN


_BUILT_IN: Final = "built in"


def builtin_names() -> tuple[str, ...]:
    """The names of those that come with the package, in order of proof."""
    return tuple(one.name for one in classes())


def known(note: Callable[[str], None], only: Collection[str] | None = None) -> Iterator[Entry]:
    """Every flakefighter: those that come with the package, then those of other packages.

    ``only``: of other packages just these, others are not loaded.  What is wrong with one is said
    by ``note``, and it is left out.
    """
    taken = {}
    for make in classes():
        taken[make.name] = _BUILT_IN
        yield Entry(make.name, make, _BUILT_IN)
    if only is not None and not only:
        return  # to look for them takes a while
    for point in sorted(_points(), key=lambda one: (one.name, one.value)):
        if only is not None and point.name not in only:
            continue
        origin = (
            "another package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        )
        if _NAME.fullmatch(point.name) is None:
            note(f"flakefighter {point.name!r} of {origin} is left out: {_BAD_NAME}")
        elif point.name in taken:
            note(f"flakefighter {point.name} of {origin} is left out: {taken[point.name]} has it")
        else:
            taken[point.name] = origin
            try:
                make = point.load()
                wrong = refusal(make, point.name)
            except Exception as error:  # another package's code
                wrong = f"it cannot be loaded: {trouble(error)}"
            if wrong is None:
                yield Entry(point.name, make, origin)
            else:
                note(f"flakefighter {point.name} of {origin} is left out: {wrong}")


_BAD_NAME: Final = "its name must be lower-case letters, digits and _"


def _points() -> Any:
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def choose(choice: Choice, note: Callable[[str], None]) -> list[Flakefighter]:
    """The flakefighters to ask, in order of proof.

    A setting that is malformed is said by ``note``, and its default holds.
    """
    chosen: list[Flakefighter] = []
    names = set()
    for entry in known(note):
        names.add(entry.name)
        given = choice.settings.get(entry.name, {})
        if not _asked(entry, choice, given):
            continue
        made = _made(entry, given, note)
        if made is not None:
            chosen.append(made)
    for name in sorted(choice.settings.keys() - names):
        note(unknown(name, choice.settings[name], names))
    return chosen


def unknown(name: str, given: Mapping[str, Given], names: Collection[str]) -> str:
    """That settings are of a flakefighter that is not there."""
    import difflib

    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    where = next((f" ({one.origin})" for one in given.values()), "")
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(names))}"
    return f"there is no flakefighter {name}{where}; {hint}"


def _asked(entry: Entry, choice: Choice, given: Mapping[str, Given]) -> bool:
    if choice.names is not None:
        return entry.name in choice.names
    on = is_on(given[ENABLED].value) if ENABLED in given else None
    return entry.default if on is None else on


def _made(
    entry: Entry, given: Mapping[str, Given], note: Callable[[str], None]
) -> Flakefighter | None:
    values = checked(entry.name, entry.settings, given, note)
    try:
        made: Any = entry.make() if values is None else entry.make(values)
    except Exception as error:  # another package's code
        note(f"flakefighter {entry.name} of {entry.origin} is left out: {trouble(error)}")
        return None
    return made if entry.builtin else Guarded(made, entry.name, entry.origin, note)


def needed(choice: Choice, need: Need) -> bool:
    """Whether a flakefighter that may be asked needs this to be collected while tests run.

    Those of other packages are loaded only if an option or a setting names them.
    """
    wanted = {*choice.settings, *(choice.names or ())}
    return any(
        need in entry.make.needs and _asked(entry, choice, choice.settings.get(entry.name, {}))
        for entry in known(lambda _: None, wanted - set(builtin_names()))
    )
