"""Passwords in the operating system's keyring, bound to user@host:port/database.

Every call runs in a child process with a deadline: keyrings prompt, hang, and load half of a
desktop.  The password travels over a pipe, never in arguments or variables.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flakefighters.errors import ConfigError
from flakefighters.model import Secret, Target
from flakefighters.profiles.commands import Answer, end

__all__ = ["entry", "forget", "lookup", "store"]

_CHILD: Final = Path(__file__).with_name("keyring_child.py")
_REMEDY: Final = "set the password in a variable (see docs/profiles.md), or try again"
_WORDS: Final = {
    "NoKeyringError": "there is no keyring on this machine",
    "KeyringLocked": "the keyring is locked; unlock it and try again",
    "InitError": "the keyring could not be opened (locked, or never set up)",
    "PasswordSetError": "the keyring refused to store the password",
    "dropped": "the keyring's backend {detail} keeps nothing",
    "ImportError": "the keyring's backend {detail} is not installed",
    "timeout": "the keyring did not answer within {detail} s",
    "other": "the keyring failed ({detail})",
}


def entry(target: Target) -> tuple[str, str]:
    """The service and user names of a target's entry: together they say where it may go.

    Raises:
        ConfigError: if the target does not name user, host and database.
    """
    if not (target.backend == "postgresql" and target.user and target.host and target.database):
        raise ConfigError(
            "a password can only be kept for a PostgreSQL URL with user, host and database",
            remedy="complete the URL",
        )
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"flakefighters {host}:{target.port or 5432}/{target.database}", target.user


def lookup(
    target: Target, *, environ: Mapping[str, str] | None = None, deadline: float = 3.0
) -> Answer:
    """Fetch the password that was stored for exactly this user, host, port and database."""
    try:
        service, user = entry(target)
    except ConfigError:
        return Answer(None, None)
    reply = _ask({"do": "get", "service": service, "user": user}, environ, deadline)
    secret = reply.get("secret")
    if isinstance(secret, str) and secret:
        return Answer(Secret(secret), None)
    return Answer(None, _trouble(reply))


def store(
    target: Target,
    secret: Secret,
    *,
    environ: Mapping[str, str] | None = None,
    deadline: float = 60.0,
) -> None:
    """Store a password and read it back.

    Raises:
        ConfigError: with a remedy, if it is not there afterwards.
    """
    service, user = entry(target)
    question = {"do": "set", "service": service, "user": user, "secret": secret.reveal()}
    reply = _ask(question, environ, deadline)
    if (trouble := _trouble(reply)) is not None:
        raise ConfigError(f"{trouble}; the password was not stored", remedy=_REMEDY)


def forget(
    target: Target, *, environ: Mapping[str, str] | None = None, deadline: float = 60.0
) -> bool:
    """Remove the password; False if there was none.  Raises ConfigError with a remedy."""
    service, user = entry(target)
    reply = _ask({"do": "delete", "service": service, "user": user}, environ, deadline)
    if (trouble := _trouble(reply)) is not None:
        raise ConfigError(trouble, remedy="remove the entry with the system's own tool")
    return reply.get("done") is True


def _trouble(reply: Mapping[str, Any]) -> str | None:
    kind = reply.get("error")
    if kind is None:
        return None
    detail = str(reply.get("detail", "")).replace("\n", " ")[:100]
    return _WORDS.get(str(kind), _WORDS["other"]).format(detail=detail)


def _ask(
    question: Mapping[str, str], environ: Mapping[str, str] | None, deadline: float
) -> dict[str, Any]:
    """Ask in a child process.  It is gone when this returns, whatever the keyring did."""
    if not sys.executable:
        return {"error": "other", "detail": "no Python to start"}
    # -P: a file called keyring.py in the current folder is not the keyring.
    command = [sys.executable, "-P", "-X", "utf8", str(_CHILD)]
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=None if environ is None else dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        return {"error": "other", "detail": error.strerror or "cannot be started"}
    with child:
        try:
            out, _ = child.communicate(json.dumps(question).encode(), timeout=deadline)
        except subprocess.TimeoutExpired:
            return {"error": "timeout", "detail": f"{deadline:g}"}
        finally:
            # Also on Ctrl-C: a prompt must not outlive the question.
            if child.poll() is None:
                end(child)
    try:
        reply = json.loads(out)
    except ValueError:
        return {"error": "other", "detail": f"exit code {child.returncode}"}
    return reply if isinstance(reply, dict) else {"error": "other", "detail": "no answer"}
