"""Which password may go to a server: only one that was given for exactly that place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flakefighters.errors import ConfigError
from flakefighters.model import Secret
from flakefighters.profiles import urls
from flakefighters.profiles.fields import variable
from flakefighters.profiles.layers import Layer
from flakefighters.profiles.resolution import Origin, Source
from flakefighters.profiles.urls import DatabaseUrl

__all__ = ["Password", "find_password"]


@dataclass(frozen=True, slots=True)
class Password:
    """A password that may go to a certain place, or why none may."""

    secret: Secret | None = None
    origin: Origin | None = None
    #: One line about passwords that were passed over.
    note: str | None = None
    #: The line that lets the first of them go to this place.
    line: str | None = None
    #: The command that prints it, if there is none yet.
    command: tuple[str, ...] = ()


def find_password(layers: Sequence[Layer], name: str, url: DatabaseUrl, label: str) -> Password:
    """The first password of a profile that was given for exactly this place.

    Raises:
        ConfigError: for a malformed ``password_host``.
    """
    place = urls.endpoint(url)
    passed_over: Origin | None = None
    for layer in layers:
        if layer.in_project:
            continue
        own = layer.urls.get(name)
        own_place = None if own is None else urls.endpoint(own)
        if name in layer.password_commands:
            command = tuple(layer.password_commands[name])
            origin = layer.origins["profiles", name, "password_command"]
            if _is_for(layer.password_hosts.get(name), own_place, url, layer, name, label):
                return Password(origin=origin, command=command)
            passed_over = passed_over or origin
        if name in layer.passwords:
            origin = layer.origins["profiles", name, "password"]
            bound_to = layer.password_hosts.get(name)
            if _is_for(bound_to, own_place, url, layer, name, label):
                return Password(layer.passwords[name], origin)
            passed_over = passed_over or origin
        if name in layer.url_passwords:
            origin = layer.origins["profiles", name, "url"]
            if own_place == place:
                return Password(layer.url_passwords[name], origin)
            passed_over = passed_over or origin
    if passed_over is None:
        return Password()
    if passed_over.source is Source.VARIABLE:
        line = f"{variable('profiles', name, 'password_host')}={place}"
        remedy = f"set {line}"
    else:
        line = f'password_host = "{place}"'
        remedy = f"add {line} beside it"
    return Password(
        note=f"the password in {passed_over} is not used, as it was not given for {place}; "
        f"if it is meant for that, {remedy}",
        line=line,
    )


def _is_for(
    bound_to: str | None,
    own_place: str | None,
    url: DatabaseUrl,
    layer: Layer,
    name: str,
    label: str,
) -> bool:
    if bound_to is None:
        return own_place == urls.endpoint(url)
    try:
        return urls.matches(bound_to, url)
    except urls.UrlError as error:
        message = f"profile {label}: password_host {error}"
    raise ConfigError(message, origin=str(layer.origins["profiles", name, "password_host"]))
