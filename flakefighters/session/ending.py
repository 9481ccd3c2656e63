"""How a session ends: here, or in a clean child process if the tests left a strange world."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flakefighters.capture import wire
from flakefighters.judging.judge import Judged
from flakefighters.model import Run, Target, Verdict
from flakefighters.session.finish import Finished, finish

if TYPE_CHECKING:
    from flakefighters.session.hooks import Session

__all__ = ["end"]

# Bound early: tests may replace them.
_dumps, _loads = json.dumps, json.loads


def end(session: Session, run: Run) -> Finished:
    """Judge and save ``run``; what cannot be saved stays in its journal."""
    umask = session.world.umask(0o077)  # the tests may have left any
    try:
        strange = session.world.strange()
        if strange is None:
            done = finish(run, session.start.checkout, session.plan(), session.world.monotonic)
        else:
            done = _elsewhere(session, run)
    except KeyboardInterrupt:
        done = Finished(run=run)
        done.notes.append("interrupted while saving")
    except Exception as error:  # the run is in its journal; the session must go on
        done = Finished(run=run)
        done.notes.append(f"internal error: {type(error).__name__}: {error}"[:300])
    finally:
        session.world.umask(umask)
    if done.saved:
        session.journal.remove()
    elif session.asked.save:
        _keep(session, done)
        where = _short(session.journal.path, session.start.anchor.path)
        rest = session.journal.trouble or f"this run waits in {where}"
        # One line for one trouble.
        done.notes[-1:] = [f"{done.notes[-1]}; {rest}" if done.notes else rest]
    return done


def _keep(session: Session, done: Finished) -> None:
    """The journal is all that there will be of this run: let it hold what was found."""
    run = done.run
    if run is None or session.interrupted or "interrupted while saving" in done.notes:
        return
    try:
        state = run.state
        if state is not None and state.files is None and session.world.strange() is None:
            # The history that takes it later may have no other way to know the files.
            state = replace(state, files=session.start.checkout.files() or None)
        said = [*done.judged.joint, *done.judged.said]
        session.journal.end(run.head, run.environment, state, run.seen, run.order, said)
    except (Exception, KeyboardInterrupt):  # the journal is whole without it
        return


def _short(path: Path, anchor: Path) -> str:
    return path.relative_to(anchor).as_posix() if path.is_relative_to(anchor) else str(path)


def _elsewhere(session: Session, run: Run) -> Finished:
    """The same in a clean interpreter, which reads the run from its journal."""
    if session.journal.trouble is not None or not session.asked.save:
        return Finished(run=run, notes=["the tests left a process in which nothing can be saved"])
    plan, world = session.plan(), session.world
    order = {
        "journal": str(session.journal.path),
        "anchor": str(session.start.anchor.path),
        "inipath": None
        if session.start.anchor.inipath is None
        else str(session.start.anchor.inipath),
        "target": _target(plan.target),
        "record_to": _target(plan.record_to),
        "fighters": [fighter.name for fighter in plan.fighters],
        "history_runs": plan.history_runs,
        "seconds": plan.seconds,
        "roots": list(plan.roots),
        "plugins": list(plan.plugins),
        "ignored": wire.plain(plan.ignored),
        "spool": str(plan.spool),
    }
    path = [str(Path(__file__).parents[2]), *world.path]
    environ = {**world.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(path))}
    command = [world.executable, "-m", "flakefighters.session.child"]
    out = world.beside.run(command, environ, _dumps(order).encode(), plan.seconds + 5)
    answer: dict[str, Any] = _loads(out)
    return Finished(
        judged=Judged(
            joint=[wire.load(Verdict, one) for one in answer["joint"]],
            said=[wire.load(Verdict, one) for one in answer["said"]],
            seen=answer["seen"],
            merged=answer["merged"],
        ),
        saved=answer["saved"],
        notes=answer["notes"],
        run=run,
    )


def _target(target: Target) -> dict[str, Any]:
    """A way to a history for the child's standard input; the password travels nowhere else."""
    plain = {
        name: wire.plain(getattr(target, name))
        for name in Target.__dataclass_fields__
        if name != "password"
    }
    plain["password"] = None if target.password is None else target.password.reveal()
    return plain
