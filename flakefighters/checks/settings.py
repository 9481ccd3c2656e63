"""First step: what do the settings say, and is there a password?"""

from __future__ import annotations

from dataclasses import field

from flakefighters.checks.results import Check, failed, ok
from flakefighters.errors import ConfigError, set_in
from flakefighters.profiles import Inputs, detect
from flakefighters.profiles.fields import canonical, variable
from flakefighters.profiles.resolution import Source
from flakefighters.profiles.selection import Selector
from flakefighters.profiles.targets import Chosen
from flakefighters.profiles.urls import endpoint
from flakefighters.records import record

__all__ = ["Subject", "look"]


@record
class Subject:
    """What is to be checked."""

    #: As people call it; None for a database URL, or if it is not known.
    profile: str | None = None
    reason: str | None = None
    #: None if there is nothing that could be checked.
    chosen: Chosen | None = None
    checks: list[Check] = field(default_factory=list)


def look(inputs: Inputs) -> Subject:
    """Choose the profile as a run would, but with no other in its stead."""
    subject = Subject()
    try:
        _look(inputs, subject)
    except ConfigError as error:
        subject.chosen = None
        one = _failed(error, error.remedy or "correct it")
        if all(one.message != said.message for said in subject.checks):
            subject.checks.append(one)
    return subject


def _failed(error: ConfigError, remedy: str) -> Check:
    where = f" ({set_in(error.origin)})" if error.origin else ""
    return failed("settings", error.message + where, remedy)


def _look(inputs: Inputs, subject: Subject) -> None:
    selector = Selector.read(inputs, detect(inputs.environ))
    name, subject.reason = selector.active()
    label = selector.label(name)
    is_url = inputs.option_url is not None
    subject.profile = None if is_url else label
    for problem in selector.sources.problems:
        if problem.profile in (None, name):
            # What is wrong with the profile itself keeps it from being used.
            usual = "correct it" if problem.profile else "correct or remove it: it has no effect"
            subject.checks.append(_failed(problem.error, problem.error.remedy or usual))
    chosen = selector.build(name, selector.fields(name))
    if chosen is None:
        raise ConfigError(
            f"profile {label} has no URL",
            remedy=f"set it in profiles.toml or in {variable('profiles', name, 'url')}",
        )
    what = "the database URL" if is_url else f"profile {label}"
    display = chosen.target.display
    subject.checks.append(
        ok("settings", f"{what} ({subject.reason}) -> {display}, {set_in(str(chosen.url_origin))}")
    )
    subject.checks += [ok("settings", note) for note in chosen.notes]
    if chosen.target.backend == "postgresql":
        before = len(chosen.notes)
        chosen = selector.with_keyring(chosen)
        subject.checks.append(_password(chosen, chosen.notes[before:], label, is_url, selector))
    subject.chosen = chosen


def _password(
    chosen: Chosen, notes: tuple[str, ...], label: str, is_url: bool, selector: Selector
) -> Check:
    """Is there one that may go to that server?"""
    found, place = chosen.password, endpoint(chosen.url)
    if chosen.credentials:
        if found.origin is not None:
            return ok("password", f"from {found.origin}, for {place}")
        return ok("password", f"left to libpq's own sources (PGPASSWORD, ~/.pgpass), for {place}")
    in_ci = selector.ci is not None
    message, remedy, *lines = found.note or "", None, found.line or ""
    if found.line is None:
        message, (remedy, *lines) = (
            f"none is known for {place}",
            _missing(chosen, label, is_url, in_ci),
        )
    if notes and notes[0] != message and "is known" not in notes[0]:
        message += f"; {notes[0]}"  # what the keyring said
    shell = "" if in_ci or " = " in lines[0] else "export "
    return failed("password", message, remedy, *(shell + one for one in lines))


def _missing(chosen: Chosen, label: str, is_url: bool, in_ci: bool) -> list[str]:
    """What to do about a password that nobody gave, and the settings for that."""
    own = "PGPASSWORD" if is_url else variable("profiles", canonical(label), "password")
    remedy, lines = f"set {own}", [f"{own}=..."]
    if not (in_ci or is_url):
        remedy = f"run `flakefighters login {label}`, or {remedy}"
    if not is_url and chosen.url_origin.source is not Source.VARIABLE:
        lines.append(f"{own}_HOST={endpoint(chosen.url)}")
        remedy += ", and for whom it is"
    return [remedy, *lines]
