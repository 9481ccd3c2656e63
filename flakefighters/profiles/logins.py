"""Whose password ``login`` asks for."""

from __future__ import annotations

from dataclasses import dataclass

from flakefighters.errors import ConfigError
from flakefighters.model import Target
from flakefighters.profiles import Inputs, detect
from flakefighters.profiles.fields import variable
from flakefighters.profiles.keyring import entry
from flakefighters.profiles.selection import Selector

__all__ = ["Account", "find_account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A place that wants a password."""

    label: str
    target: Target
    #: user@host:port/database.
    place: str
    #: Where the URL was set.
    origin: str
    #: The variable that could hold the password.
    variable: str
    #: Another source that holds a password for it, None if none does.
    other: str | None
    #: What shows that this is CI, None if it is not.
    in_ci: str | None


def find_account(inputs: Inputs) -> Account:
    """The account of the profile that ``inputs`` name.

    Raises:
        ConfigError: if it is unknown, malformed, or nothing that a password is for.
    """
    ci = detect(inputs.environ)
    selector = Selector.read(inputs, ci)
    name, _ = selector.active()
    label = selector.label(name)
    chosen = selector.build(name, selector.fields(name))
    own = variable("profiles", name, "url")
    if chosen is None:
        raise ConfigError(
            f"profile {label} has no URL", remedy=f"set it in profiles.toml or in {own}"
        )
    target = chosen.target
    if target.backend == "sqlite":
        raise ConfigError(
            f"profile {label} is a SQLite file, which needs no password",
            origin=str(chosen.url_origin),
        )
    service, user = entry(target)
    return Account(
        label=label,
        target=target,
        place=f"{user}@{service.partition(' ')[2]}",
        origin=str(chosen.url_origin),
        variable=variable("profiles", name, "password"),
        other=str(chosen.password.origin) if chosen.password.origin else None,
        in_ci=None if ci is None else ci.evidence,
    )
