"""Passwords that a program of the user's gives: 1Password, Vault, a cloud's short-lived tokens.

The command is the user's own: it is read from the file in the configuration folder, and from
nowhere else.  What it prints is never shown.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.model import Secret
from flakefighters.records import NamedTuple

__all__ = ["Answer", "end", "run", "words"]

#: Seconds: the user may have to touch a sensor.
_SECONDS: Final = 20.0
_LONGEST: Final = 8192


class Answer(NamedTuple):
    """A password, or why there is none."""

    secret: Secret | None
    trouble: str | None


def words(command: str | Sequence[str]) -> list[str]:
    """The words of a command line; no shell reads it.  ValueError if a quotation does not end."""
    return shlex.split(command) if isinstance(command, str) else list(command)


def run(command: Sequence[str], environ: Mapping[str, str], seconds: float = _SECONDS) -> Answer:
    """Start the command, with no input and in the user's home, and take the line that it prints."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    try:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=home if home and os.path.isdir(home) else None,  # noqa: PTH112
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is malformed"
        return Answer(None, f"cannot be started ({why})")
    try:
        out, _ = child.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return Answer(None, f"did not end within {seconds:g} s")
    finally:
        # Also on Ctrl-C: a prompt must not outlive the question.
        if child.poll() is None:
            end(child)
    if child.returncode != 0:
        return Answer(None, f"failed with exit code {child.returncode}")
    try:
        text = out.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return Answer(None, "printed something that is not UTF-8")
    if not text or len(out) > _LONGEST or not text.isprintable():
        return Answer(None, "did not print one line with a password")
    return Answer(Secret(text), None)


def end(child: subprocess.Popen[bytes]) -> None:
    """Kill the command and whatever it started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    if child.stdout is not None:
        child.stdout.close()
    child.wait()
