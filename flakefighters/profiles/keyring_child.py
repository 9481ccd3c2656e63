"""Runs in a process of its own: one question to the operating system's keyring.

Reads one JSON object from standard input ({"do": "get" | "set" | "delete", "service", "user",
"secret"}), writes one to standard output ({"secret"}, {"done": true} or {"error", "detail"}).
Imports nothing of ours, so that it can be started by its file's name.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Ask the keyring; every trouble is an answer with a key that the parent has words for."""
    try:
        import keyring
        import keyring.errors

        service, user = question["service"], question["user"]
        if question["do"] == "get":
            return {"secret": keyring.get_password(service, user)}
        if question["do"] == "set":
            keyring.set_password(service, user, question["secret"])
            # Some backends drop what they are given without a word.
            if keyring.get_password(service, user) != question["secret"]:
                return {"error": "dropped", "detail": _backend()}
            return {"done": True}
        if keyring.get_password(service, user) is None:
            return {"done": False}
        keyring.delete_password(service, user)
        return {"done": True}
    # Backends raise anything, from D-Bus errors to failing assertions: each ends as a line.
    except Exception as error:
        names = [kind.__name__ for kind in type(error).__mro__]
        known = ("NoKeyringError", "KeyringLocked", "InitError", "PasswordSetError", "ImportError")
        kind = next((name for name in known if name in names), "other")
        # Only a module's name or a class: other texts could repeat what was asked.
        detail = getattr(error, "name", None) if kind == "ImportError" else type(error).__name__
        return {"error": kind, "detail": str(detail or type(error).__name__)}


def _backend() -> str:
    import keyring

    kind = type(keyring.get_keyring())
    return f"{kind.__module__}.{kind.__qualname__}"


def main() -> None:
    """Answer one question; whatever a backend prints goes nowhere."""
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    question = json.load(sys.stdin)
    json.dump(answer(question), reply)
    reply.close()


if __name__ == "__main__":
    main()
