"""Finish a session in a clean child process: orders on stdin, results on stdout, as JSON.

Started where the tests left a frozen clock, a fake file system or the like behind.  Every field of
a plan travels, and every one of its outcome but the run.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flakefighters.capture import wire
from flakefighters.judging.results import Judged
from flakefighters.model import Secret
from flakefighters.records import NamedTuple
from flakefighters.session.finish import Finished, Plan, finish
from flakefighters.state.anchor import Anchor

if TYPE_CHECKING:
    from flakefighters.model import Run

__all__ = ["Order", "outcome_from_json", "outcome_to_json"]


class Order(NamedTuple):
    """What the child is to do: end the run that is in this journal."""

    journal: Path
    anchor: Anchor
    plan: Plan
    #: Of the plan's targets, which have none meanwhile: they travel nowhere else.
    passwords: tuple[str | None, ...] = ()

    def plain(self) -> dict[str, Any]:
        """JSON values for the child's standard input; they hold the passwords."""
        given = (self.plan.target.password, self.plan.record_to.password)
        passwords = tuple(None if one is None else one.reveal() for one in given)
        return wire.dump(self._replace(plan=_opened(self.plan, (None, None)), passwords=passwords))

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Order:
        """The inverse of :meth:`plain`; only in the child, as it imports what a plan may have."""
        from flakefighters.judging import baselines, results
        from flakefighters.model import choice, experience, targets, trace
        from flakefighters.session import places
        from flakefighters.trials import bench

        names: dict[str, Any] = {"Plan": Plan, "Anchor": Anchor}
        for module in (baselines, results, choice, experience, targets, trace, places, bench):
            names |= vars(module)
        order = wire.load(cls, plain, names)
        secrets = [None if one is None else Secret(one) for one in order.passwords]
        return order._replace(plan=_opened(order.plan, secrets), passwords=())


def _opened(plan: Plan, passwords: Sequence[Secret | None]) -> Plan:
    """The plan with these passwords of its two targets."""
    target, record_to = (
        one._replace(password=password)
        for one, password in zip((plan.target, plan.record_to), passwords, strict=True)
    )
    return replace(plan, target=target, record_to=record_to)


def outcome_to_json(done: Finished) -> dict[str, Any]:
    """What the child answers; the run itself is known already."""
    plain: dict[str, Any] = wire.plain(replace(done, run=None))
    return plain


def outcome_from_json(plain: Mapping[str, Any], run: Run) -> Finished:
    """The inverse of :func:`outcome_to_json`."""
    names = {**wire.NAMES, "Judged": Judged, "Event": Any}
    if plain["decisions"]:  # imported where there are some
        from flakefighters.model import decisions

        names |= vars(decisions)
    return replace(wire.load(Finished, plain, names), run=run)


def main() -> None:
    """Do what the parent ordered."""
    from flakefighters.session.spool import read_back
    from flakefighters.state.checkout import Checkout

    order = Order.read(json.load(sys.stdin.buffer))
    os.chdir(order.anchor.path)
    run = read_back(order.journal).run
    done = finish(run, Checkout.read(order.anchor), order.plan)
    json.dump(outcome_to_json(done), sys.stdout)


if __name__ == "__main__":
    main()
