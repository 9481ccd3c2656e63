"""Where a run ran: the settings that must be equal, and the distributions installed."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from flakefighters import ids
from flakefighters.environment import distributions
from flakefighters.model import Environment
from flakefighters.records import NamedTuple

__all__ = ["Inputs", "read"]


#: No entries.
NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Inputs(NamedTuple):
    """What only the caller knows; JSON values."""

    #: pytest's options and ini values that alter behaviour.
    options: Mapping[str, Any] = NONE
    #: CI workflow, job, matrix.
    ci: Mapping[str, Any] = NONE
    #: The environment of tox, nox or hatch.
    runner: Mapping[str, Any] = NONE
    #: The variables of ``state_env``; values are hashed, None for an unset one.
    state_env: Mapping[str, str | None] = NONE
    #: Where distributions are sought; None: ``sys.path``.
    path: Sequence[str] | None = None
    #: Normalised names of the project's own distributions: its state tells what they hold.
    own: frozenset[str] = frozenset()


def read(inputs: Inputs) -> Environment:
    """Describe this process.  Costs about a millisecond for 200 distributions."""
    settings: dict[str, Any] = {
        "implementation": sys.implementation.name,
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "os": sys.platform,
        "arch": _arch(),
        "optimize": sys.flags.optimize,
        "timezone": _timezone(),
    }
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        settings["gil"] = False
    kinds = (("pytest", inputs.options), ("ci", inputs.ci), ("runner", inputs.runner))
    for prefix, given in kinds:
        for name, value in given.items():
            settings[f"{prefix}.{name}"] = _plain(value)
    for name, value in inputs.state_env.items():
        # Never the value itself: it may be a secret.
        settings[f"env.{name}"] = None if value is None else ids.h128("state_env", name, value)[:16]
    found = distributions.installed(inputs.path)
    installed = {name: version for name, version in found.items() if name not in inputs.own}
    return Environment(
        id=ids.h128("environment", settings, installed),
        key=ids.h128("environment key", settings),
        settings=settings,
        distributions=installed,
    )


def _plain(value: Any) -> Any:
    """A JSON value without floats, which do not hash alike everywhere."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(str(member) for member in value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(member) for member in value]
    return str(value)


def _arch() -> str:
    """The processor's name, one spelling for each."""
    # os.uname asks the kernel; platform.machine may start a process.
    machine = (os.uname().machine if hasattr(os, "uname") else platform.machine()).lower()
    return {"amd64": "x86_64", "aarch64": "arm64"}.get(machine, machine)


def _timezone() -> str:
    """What the clock shows, not how it was asked for: ``TZ=UTC`` is none on a machine in UTC."""
    return "/".join(time.tzname)
