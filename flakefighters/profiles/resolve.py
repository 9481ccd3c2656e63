"""From settings to the histories to use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flakefighters.errors import ConfigError
from flakefighters.model import Target
from flakefighters.profiles.ci import detect
from flakefighters.profiles.places import anything_configured, empty_variables
from flakefighters.profiles.resolution import Resolution

if TYPE_CHECKING:
    from flakefighters.profiles.ci import CiInfo
    from flakefighters.profiles.resolution import Inputs

__all__ = ["resolve"]


def resolve(inputs: Inputs, *, need_credentials: bool = True) -> Resolution:
    """Choose the profile and return the ways to its histories.

    Whatever is raised is fatal (a usage error): the user asked for something that is malformed or
    unknown.  All other trouble is a line in ``notes``.
    ``need_credentials=False`` asks no keyring and does not mind a missing password.

    Raises:
        ConfigError: with origin and remedy.
    """
    ci = detect(inputs.environ)
    # An absent secret of CI is an empty variable: it was meant to be there.
    absent = ci is not None and empty_variables(inputs)
    if not absent and not anything_configured(inputs):
        return _plain(inputs, ci)
    try:
        # At the price of importing pydantic-settings.
        from flakefighters.profiles.selection import select

        return select(inputs, ci, need_credentials=need_credentials)
    except ConfigError as error:
        trouble = error
    # The frames that it came from hold what was configured, passwords among it: where tracebacks
    # are printed with local variables they would be seen.
    trouble.__context__ = trouble.__cause__ = None
    raise trouble.with_traceback(None)


def _plain(inputs: Inputs, ci: CiInfo | None) -> Resolution:
    """What the sources would say if there were none: the built-in local profile."""
    target = Target(
        backend="sqlite",
        path=inputs.anchor / "flakefighters.db",
        profile="local",
        display="sqlite:///flakefighters.db",
    )
    reason = "default" if ci is None else f"CI detected: {ci.what}, no history is configured"
    return Resolution(target=target, record_to=target, profile="local", reason=reason, ci=ci)
