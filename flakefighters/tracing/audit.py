"""The interpreter's audit events, handed to listeners.

An audit hook cannot be removed: one is added per process, on first use, and it costs a
dictionary look-up per event.  Without a listener it does nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

__all__ = ["Listener", "listen", "silence"]

#: Called with an event's arguments and the frame of the program that it comes from.
Listener = Callable[[tuple[Any, ...], FrameType], None]

#: Events to listeners; emptied at the end of a session.
_listeners: Final[dict[str, Listener]] = {}
_installed: Final[list[Callable[[str, tuple[Any, ...]], None]]] = []

_PING: Final = "flakefighters.ping"


def _install() -> None:
    listener_of, frame_of = _listeners.get, sys._getframe

    def hook(event: str, args: tuple[Any, ...]) -> None:
        listener = listener_of(event)
        if listener is not None:
            try:  # noqa: SIM105 - on each event
                listener(args, frame_of(1))
            except Exception:  # noqa: S110 - it would stop the program's own call
                pass

    if not _installed:
        sys.addaudithook(hook)
        _installed.append(hook)


def listen(listeners: dict[str, Listener]) -> bool:
    """Hand events to listeners from now on; False if another audit hook keeps ours out."""
    heard: list[object] = []
    _install()
    _listeners.update(listeners)
    _listeners[_PING] = lambda _args, frame: heard.append(frame)
    sys.audit(_PING)
    return bool(heard)


def silence() -> None:
    """Listen no more."""
    _listeners.clear()
