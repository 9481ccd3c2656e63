"""Waiting for a server, but not for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from flakefighters.originals import real
from flakefighters.records import record

__all__ = ["Answer", "patiently"]

T = TypeVar("T")


@record
class Answer(Generic[T]):
    """What came of a call: a value, an error, or neither in time."""

    value: T | None = None
    error: Exception | None = None
    late: bool = False


def patiently(
    call: Callable[[], T], seconds: float, give_up: Callable[[], None] | None = None
) -> Answer[T]:
    """Run ``call`` in a thread of its own and wait at most ``seconds`` for it.

    A driver that waits for a silent server in C heeds neither timeouts nor Ctrl-C; we do, here.
    When the time is up or Ctrl-C comes, ``give_up`` should make the call fail (by closing what it
    waits for).  The error is handed back rather than raised: its frames may hold a password.
    """
    answer: Answer[T] = Answer()
    done = real.Event()

    def run() -> None:
        try:
            answer.value = call()
        except Exception as error:  # handed to the caller
            answer.error = error.with_traceback(None)
        finally:
            done.set()

    thread = real.Thread(target=run, name="flakefighters-history", daemon=True)
    thread.start()
    try:
        in_time = done.wait(seconds)
    except BaseException:
        _abandon(thread, give_up)
        raise
    if in_time:
        thread.join()
        return answer
    _abandon(thread, give_up)
    return Answer(late=True)


def _abandon(thread: threading.Thread, give_up: Callable[[], None] | None) -> None:
    if give_up is not None:
        give_up()
        thread.join(1.0)
