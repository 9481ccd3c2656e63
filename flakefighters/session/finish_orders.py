"""What a session and the clean child that finishes it say to each other, as JSON.

Every field of a plan travels, and every one of its outcome but the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flakefighters.capture import wire
from flakefighters.judging.results import Judged
from flakefighters.model import Secret, Target, Verdict
from flakefighters.records import NamedTuple
from flakefighters.session.finish import Finished, Plan, session_from_json, session_to_json
from flakefighters.session.places import Spool
from flakefighters.state.anchor import Anchor

if TYPE_CHECKING:
    from flakefighters.model import Run
    from flakefighters.model.decisions import Event

__all__ = ["Order", "outcome_from_json", "outcome_to_json"]


def _target_to_json(target: Target) -> dict[str, Any]:
    """For the child's standard input; a password travels nowhere else."""
    given = target._replace(password=None)._asdict()
    plain = {name: wire.plain(value) for name, value in given.items()}
    plain["password"] = None if target.password is None else target.password.reveal()
    return plain


def _target_from_json(plain: Mapping[str, Any]) -> Target:
    password = plain["password"]
    target = wire.load(Target, {**plain, "password": None})
    return target._replace(password=None if password is None else Secret(password))


def _bench_from_json(plain: Mapping[str, Any]) -> Any:
    from flakefighters.trials.bench import Bench

    known: Any = {name: tuple(one) if isinstance(one, list) else one for name, one in plain.items()}
    return Bench(**known)


def _choice_from_json(plain: Mapping[str, Any]) -> Any:
    from flakefighters.model.choice import Choice

    return Choice.from_json(plain)


_Way = tuple[Callable[[Any], Any], Callable[[Any], Any]]
_PLAIN: Final[_Way] = (wire.plain, lambda value: value)
_TARGET: Final[_Way] = (_target_to_json, _target_from_json)
_SPOOLS: Final[_Way] = (
    lambda spools: [[str(one.path), one.owners and sorted(one.owners)] for one in spools],
    lambda plain: [Spool(Path(path), owners and frozenset(owners)) for path, owners in plain],
)
_VERDICTS: Final[_Way] = (
    wire.plain,
    lambda plain: [wire.load(Verdict, one) for one in plain],
)

#: There and back, for the fields that are not plain.
_PLAN: Final[Mapping[str, _Way]] = {
    "bench": (
        lambda bench: bench and {name: wire.plain(one) for name, one in bench._asdict().items()},
        lambda plain: plain and _bench_from_json(plain),
    ),
    "choice": (
        lambda choice: choice and choice.to_json(),
        lambda plain: plain and _choice_from_json(plain),
    ),
    "target": _TARGET,
    "record_to": _TARGET,
    "session": (session_to_json, session_from_json),
    "spools": _SPOOLS,
}
_JUDGED: Final[Mapping[str, _Way]] = {"joint": _VERDICTS, "said": _VERDICTS}
_OUTCOME: Final[Mapping[str, _Way]] = {
    "proved": _VERDICTS,
    "decisions": (
        wire.plain,
        lambda plain: [wire.load(_event(), one) for one in plain],
    ),
    "judged": (
        lambda judged: _to_json(judged, _JUDGED),
        lambda plain: Judged(**_from_json(plain, _JUDGED)),
    ),
}


def _event() -> type[Event]:
    """Imported where there are some."""
    from flakefighters.model.decisions import Event

    return Event


class Order(NamedTuple):
    """What the child is to do: end the run that is in this journal."""

    journal: Path
    anchor: Anchor
    plan: Plan

    def to_json(self) -> dict[str, Any]:
        """JSON values; they hold the passwords of the plan's targets."""
        return {
            "journal": str(self.journal),
            "anchor": str(self.anchor.path),
            "inipath": wire.plain(self.anchor.inipath),
            "plan": _to_json(self.plan, _PLAN),
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Order:
        """The inverse of :meth:`to_json`."""
        inipath = plain["inipath"]
        return cls(
            journal=Path(plain["journal"]),
            anchor=Anchor(
                path=Path(plain["anchor"]), inipath=None if inipath is None else Path(inipath)
            ),
            plan=Plan(**_from_json(plain["plan"], _PLAN)),
        )


def outcome_to_json(done: Finished) -> dict[str, Any]:
    """What the child answers; the run itself is known already."""
    return _to_json(done, _OUTCOME, without=frozenset({"run"}))


def outcome_from_json(plain: Mapping[str, Any], run: Run) -> Finished:
    """The inverse of :func:`outcome_to_json`."""
    return Finished(**_from_json(plain, _OUTCOME), run=run)


def _to_json(
    value: Any, ways: Mapping[str, _Way], without: frozenset[str] = frozenset()
) -> dict[str, Any]:
    return {
        field.name: ways.get(field.name, _PLAIN)[0](getattr(value, field.name))
        for field in fields(value)
        if field.name not in without
    }


def _from_json(plain: Mapping[str, Any], ways: Mapping[str, _Way]) -> dict[str, Any]:
    return {name: ways.get(name, _PLAIN)[1](value) for name, value in plain.items()}
