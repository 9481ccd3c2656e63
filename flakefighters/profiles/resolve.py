"""From settings to the histories to use."""

from __future__ import annotations

from flakefighters.profiles.nouns import Inputs, Resolution

__all__ = ["resolve"]


def resolve(inputs: Inputs, *, need_credentials: bool = True) -> Resolution:
    """Choose the profile and return the ways to its histories.

    Whatever is raised is fatal (a usage error): the user asked for something that is malformed or
    unknown.  All other trouble is a line in ``notes``.
    ``need_credentials=False`` asks no keyring and does not mind a missing password.

    Raises:
        ConfigError: with origin and remedy.
    """
    raise NotImplementedError
