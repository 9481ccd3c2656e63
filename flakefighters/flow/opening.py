"""Begins a session: from pytest's configuration to the plugin object that records it."""

from __future__ import annotations

from typing import Any

import pytest

from flakefighters.capture.watcher import Watcher
from flakefighters.errors import ConfigError, FlakefightersError
from flakefighters.fighters import builtin
from flakefighters.flow.finish import open_checked
from flakefighters.flow.session import Session
from flakefighters.flow.settings import Asked, asked
from flakefighters.flow.spool import address, deliver_leftovers
from flakefighters.flow.start import Start, begin
from flakefighters.model import Flakefighter

__all__ = ["open_session"]


def open_session(config: Any) -> None:
    """Register the session's plugin; UsageError for what was asked for and cannot be had."""
    try:
        wishes = asked(config)
        fighters = chosen(wishes)
        start = begin(wishes, config.inipath, config.rootpath)
    except ConfigError as error:
        raise pytest.UsageError(f"flakefighters: {error}") from None
    except Exception as error:  # ours to mend, not the user's to suffer: the tests run without us
        _say(config, f"not active: {type(error).__name__}: {error}"[:300])
        return
    session = Session(config, wishes, start, fighters)
    if wishes.save:
        _deliver(start, session)
    config.pluginmanager.register(Watcher(), "flakefighters-watcher")
    config.pluginmanager.register(session, "flakefighters-session")


def chosen(wishes: Asked) -> tuple[Flakefighter, ...]:
    """The flakefighters to ask, in order of proof."""
    there = builtin()
    if wishes.fighters is None:
        return there
    names = {fighter.name for fighter in there}
    for name in wishes.fighters:
        if name not in names:
            raise ConfigError(
                f"unknown flakefighter {name!r}",
                origin="--flakefighters-fighters",
                remedy=f"known are {', '.join(sorted(names))}",
            )
    return tuple(fighter for fighter in there if fighter.name in wishes.fighters)


def _deliver(start: Start, session: Session) -> None:
    """Runs that were killed before they could be saved are saved now, if that is cheap."""
    target = start.resolution.record_to
    if target.backend != "sqlite" or not any(start.spool.glob("*.jsonl")):
        return
    try:
        with open_checked(target, start.checkout, create=True, deadline=2.0) as history:
            _, notes = deliver_leftovers(history, start.spool, to=address(target))
        session.notes.extend(notes)
    except FlakefightersError:
        return  # said at the end, when this run meets the same trouble
    except OSError:
        return


def _say(config: Any, note: str) -> None:
    class Header:
        def pytest_report_header(self) -> str:
            return f"flakefighters: warning: {note}"

    config.pluginmanager.register(Header(), "flakefighters-trouble")
