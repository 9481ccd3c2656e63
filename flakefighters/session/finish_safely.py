"""Finish a session here, or in a clean child process if the tests polluted this one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flakefighters.judging.results import failing
from flakefighters.lazy import as_installed
from flakefighters.originals import real
from flakefighters.reports.escape import escape
from flakefighters.session.finish import Finished, finish
from flakefighters.session.finish_orders import Order, outcome_from_json
from flakefighters.session.settings import by_hand
from flakefighters.session.subprocesses import run as run_program
from flakefighters.words import trouble

if TYPE_CHECKING:
    from flakefighters.model import Run
    from flakefighters.session.finish import Plan
    from flakefighters.session.protocols import SessionView
    from flakefighters.trials.bench import Bench

__all__ = ["end"]


def end(session: SessionView, run: Run) -> Finished:
    """Judge and save ``run``; what cannot be saved stays in its journal."""
    umask = real.umask(0o077)  # the tests may have left any
    try:
        strange = session.world.strange()
        plan = session.plan()
        plan.bench = _bench(session, run)
        if strange is None:
            done = finish(run, session.start.checkout, plan, _sayer(session))
        else:
            done = _elsewhere(session, run, plan)
    except KeyboardInterrupt:
        done = Finished(run=run)
        done.notes.append("interrupted while saving")
    except Exception as error:  # the run is in its journal; the session must go on
        done = Finished(run=run)
        done.notes.append(f"internal error: {trouble(error)}")
    finally:
        real.umask(umask)
    if done.saved:
        session.journal.remove()
    elif session.asked.save:
        _keep(session, done)
        where = _short(session.journal.path, session.start.anchor.path)
        rest = session.journal.trouble or f"this run waits in {where}"
        # One line for one trouble.
        done.notes[-1:] = [f"{done.notes[-1]}; {rest}" if done.notes else rest]
    return done


def _sayer(session: SessionView) -> Callable[[str], None]:
    """Tells what takes long, on pytest's terminal."""
    terminal = session.config.pluginmanager.getplugin("terminalreporter")

    def say(text: str) -> None:
        if terminal is not None and session.config.get_verbosity() > -2:
            if getattr(terminal._tw, "width_of_current_line", 0):
                terminal.line("")
            terminal.line(escape(f"flakefighters: {text}", session.where))
            terminal.flush()

    return say


def _keep(session: SessionView, done: Finished) -> None:
    """The journal is all that there will be of this run: let it hold what was found."""
    run = done.run
    if run is None or session.interrupted or "interrupted while saving" in done.notes:
        return
    try:
        state = run.state
        if state is not None and state.files is None and session.world.strange() is None:
            # The history that takes it later may have no other way to know the files.
            state = state._replace(files=session.start.checkout.files() or None)
        said = [*done.judged.joint, *done.judged.said]
        session.journal.end(run.head, run.environment, state, run.seen, run.order, said)
    except (Exception, KeyboardInterrupt):  # the journal is whole without it
        return


def _short(path: Path, anchor: Path) -> str:
    return path.relative_to(anchor).as_posix() if path.is_relative_to(anchor) else str(path)


def _bench(session: SessionView, run: Run) -> Bench | None:
    """How to run failing tests again, if that was asked for and there are any."""
    wanted = session.asked.confirm or session.start.resolution.settings.confirm
    if wanted == "off" or session.interrupted or by_hand(session.config) or not failing(run):
        return None
    with as_installed():
        from flakefighters.session.bench import bench_of
    return bench_of(session, wanted)


def _elsewhere(session: SessionView, run: Run, plan: Plan) -> Finished:
    """The same in a clean interpreter, which reads the run from its journal."""
    if session.journal.trouble is not None or not session.asked.save:
        return Finished(run=run, notes=["the tests left a process in which nothing can be saved"])
    world = session.world
    order = Order(session.journal.path, session.start.anchor, plan)
    path = [str(Path(__file__).parents[2]), *world.path]
    environ = {**world.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(path))}
    command = [world.executable, "-m", "flakefighters.session.finish_orders"]
    said = real.dumps(order.plain()).encode()
    seconds = plan.seconds + 5
    if plan.bench is not None:
        seconds += plan.bench.seconds + 5
        _sayer(session)(f"failing tests may be on trial now, for {plan.bench.seconds:.0f} s")
    out = run_program(command, environ, said, seconds)
    return outcome_from_json(real.loads(out), run)
