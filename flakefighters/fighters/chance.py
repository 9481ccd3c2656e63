"""Inputs that were drawn at random: a pass and a failure need not contradict each other."""

from __future__ import annotations

from typing import Final

from flakefighters.model import Case, Past
from flakefighters.records import NamedTuple
from flakefighters.words import few

__all__ = ["SEED", "Chance", "chance", "edited", "varied"]


#: A new seed may show a bug, and no change is the cause.
SEED: Final = "seed"


_TOLD: Final = {
    "os.getcwd": "pytest was started in another folder",
    "sys.path": "modules are sought in other folders (sys.path)",
}


class Chance(NamedTuple):
    """Why passes may prove nothing."""

    #: What evidence keeps of it: "example", "seed", "edited", "variable".
    slug: str
    reason: str


def edited(case: Case, passes: list[Past]) -> Chance | None:
    """What was edited since these passes and is in no state; keeps those before which it was."""
    if case.missing is not None:
        return Chance("edited", f"{case.missing} is missing, which git ignores")
    for name, at in case.untracked_code[:1]:
        after = [past for past in passes if past.run.started > at]
        if not after:
            return Chance("edited", f"{name} was edited since, of which the state does not tell")
        passes[:] = after
    for name, at in case.loose[:1]:
        # By its end: what a run writes itself, the next one finds.
        after = [past for past in passes if (past.run.ended or past.run.started) >= at]
        if not after:
            return Chance("edited", f"{name}, which it opened and git ignores, was edited since")
        passes[:] = after
    return None


def varied(case: Case, passes: list[Past]) -> Chance | None:
    """What the code asks for and that was set otherwise; keeps other passes."""
    same = [past for past in passes if not case.varied.get(past.run.id)]
    if same:
        passes[:] = same
        return None
    names = case.varied[passes[0].run.id]
    told = [_TOLD[name] for name in names if name in _TOLD]
    shown = [f"${name}" for name in names if name not in _TOLD]
    if shown:
        verb = "have other values" if len(shown) > 1 else "has another value"
        told.append(f"{few(shown)} {verb} in this run")
    return Chance("variable", " and ".join(told))


def chance(case: Case, passes: list[Past]) -> Chance | None:
    """Why these passes may prove nothing, None if they do; keeps those that do in ``passes``."""
    if case.failure.facts.get("property") and "Flaky" not in (case.failure.exception or ""):
        return Chance("example", "a property test may have found a new falsifying example")
    seeds = case.head.context.get("seeds") or {}
    if not seeds or not case.draws:
        return None
    same = [past for past in passes if (past.run.context.get("seeds") or {}) == seeds]
    if same:
        passes[:] = same
        return None
    names = ", ".join(f"{name}={seed}" for name, seed in sorted(seeds.items()))
    return Chance(SEED, f"the random seed is new ({names})")
