"""The end of a session in a clean process: orders on standard input, results on standard output.

Started by a session whose tests left a world in which nothing of ours can be trusted to work.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from flakefighters.capture import wire
from flakefighters.capture.journal import recover
from flakefighters.fighters import builtin
from flakefighters.model import Secret, Target
from flakefighters.session.finish import Plan, finish
from flakefighters.state.anchor import Anchor
from flakefighters.state.checkout import Checkout

__all__ = ["main"]


def main() -> None:
    """Do what the parent ordered."""
    order = json.load(sys.stdin.buffer)
    os.chdir(order["anchor"])
    run = recover(Path(order["journal"])).run
    inipath = None if order["inipath"] is None else Path(order["inipath"])
    plan = Plan(
        target=_target(order["target"]),
        record_to=_target(order["record_to"]),
        fighters=[one for one in builtin() if one.name in order["fighters"]],
        history_runs=order["history_runs"],
        seconds=order["seconds"],
        roots=order["roots"],
        plugins=order["plugins"],
        ignored=order["ignored"],
        spool=Path(order["spool"]),
    )
    checkout = Checkout.read(Anchor(path=Path(order["anchor"]), inipath=inipath))
    done = finish(run, checkout, plan)
    answer = {
        "joint": wire.plain(done.judged.joint),
        "said": wire.plain(done.judged.said),
        "seen": done.judged.seen,
        "merged": done.judged.merged,
        "saved": done.saved,
        "notes": done.notes,
    }
    json.dump(answer, sys.stdout)


def _target(plain: dict[str, Any]) -> Target:
    password = plain.pop("password")
    target = wire.load(Target, plain)
    return wire.changed(target, password=None if password is None else Secret(password))


if __name__ == "__main__":
    main()
