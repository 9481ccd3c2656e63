"""The long way to a profile, where something is configured: read, merge, select, check.

Heavy: imports pydantic-settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace

from flakefighters.errors import ConfigError
from flakefighters.profiles import fields, fighter_tables, urls
from flakefighters.profiles.ci import CiInfo
from flakefighters.profiles.layers import Layer, Problem, Sources, read
from flakefighters.profiles.resolution import Inputs, Origin, Resolution, Settings, Source
from flakefighters.profiles.schema import (
    Merged,
    ProfileFields,
    merge,
    origin_of,
    validate,
)
from flakefighters.profiles.targets import Chosen, build
from flakefighters.records import record

__all__ = ["Selector", "select"]

#: The key of the URL given on the command line among the profiles; no profile can be called so.
_URL = "@url"


@record
class Selector:
    """Everything that was read, and the questions one can ask of it."""

    inputs: Inputs
    ci: CiInfo | None
    sources: Sources
    layers: Sequence[Layer]
    merged: Merged
    notes: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, inputs: Inputs, ci: CiInfo | None) -> Selector:
        """Read and merge every source.

        What is wrong with a source is in ``sources.problems``.

        Raises:
            ConfigError: if the command line asks for a profile and a file that may define it
                cannot be read, or for a malformed URL on the command line.
        """
        sources = read(inputs)
        for problem in sources.problems:
            if problem.fatal and inputs.option_profile is not None:
                raise problem.error
        layers = sources.layers
        if inputs.option_url is not None:
            layers = (_url_layer(inputs, inputs.option_url), *layers)
        merged, malformed = merge(layers)
        problems = (*sources.problems, *map(Problem, malformed))
        return cls(inputs, ci, replace(sources, problems=problems), layers, merged)

    def active(self) -> tuple[str, str]:
        """The chosen profile (canonical) and the reason, not yet checked.

        Raises:
            ConfigError: if there is no profile of that name.
        """
        inputs = self.inputs
        variable = inputs.environ.get("FLAKEFIGHTERS_PROFILE", "").strip()
        if inputs.option_url is not None:
            return _URL, inputs.option_url_name
        if inputs.option_profile is not None:
            return self._known(inputs.option_profile, inputs.option_profile_name, None)
        if variable:
            return self._known(variable, "FLAKEFIGHTERS_PROFILE", None)
        if self.ci is not None:
            origin = origin_of(self.layers, ("ci_profile",))
            return self._known(self.merged.ci_profile, f"CI detected: {self.ci.what}", origin)
        origin = origin_of(self.layers, ("default_profile",))
        chosen = origin is not None and origin.source is not Source.BUILT_IN
        reason = f"default_profile in {origin}" if chosen else "default"
        return self._known(self.merged.default_profile, reason, origin)

    def _known(self, written: str, reason: str, origin: Origin | None) -> tuple[str, str]:
        name = fields.canonical(written)
        if name in self.merged.profiles:
            return name, reason
        self._raise_problem(name)  # it is there, but broken
        names = sorted(self.label(known) for known in self.merged.profiles if known != _URL)
        near = fields.nearest(name, self.merged.profiles)
        if "://" in written or "@" in written:
            # It may hold a password.
            raise ConfigError(
                f"a database URL is no profile's name; known are {', '.join(names)}",
                origin=str(origin or reason),
                remedy="give a URL to --database-url, or as the url of a profile",
            )
        shown = written if written.isprintable() else "?"
        error = f"there is no profile {shown!r}; known are {', '.join(names)}"
        remedy = f"did you mean {self.label(near)}?" if near else None
        broken = [p.error.message for p in self.sources.problems if p.profile is None]
        if broken and not near:
            remedy = f"note that {broken[0]}"
        raise ConfigError(error, origin=str(origin or reason), remedy=remedy)

    @property
    def named(self) -> bool:
        """Whether the command line says which profile or URL to use."""
        inputs = self.inputs
        return inputs.option_profile is not None or inputs.option_url is not None

    def label(self, name: str) -> str:
        """A profile's name as the first source writes it."""
        if name == _URL:
            return "the database URL"
        written = (layer.names[name] for layer in self.layers if name in layer.names)
        return next(written, name)

    def _raise_problem(self, name: str) -> None:
        for problem in self.sources.problems:
            if problem.profile == name:
                raise problem.error

    def fields(self, name: str) -> ProfileFields:
        """A profile's validated fields.  Raises ConfigError for anything wrong with it."""
        self._raise_problem(name)
        found, malformed = validate(self.merged, name, self.layers)
        for error in malformed:
            raise error
        return found

    def build(self, name: str, profile: ProfileFields) -> Chosen | None:
        """A profile's target, None without a URL; the keyring is not asked."""
        chosen = build(self.inputs, self.layers, name, profile, self.label(name))
        if chosen is not None and name == _URL:
            return replace(chosen, target=chosen.target._replace(profile=None))
        return chosen

    def with_keyring(self, chosen: Chosen) -> Chosen:
        """The same with the password that the profile's command prints, or one from the keyring.

        The keyring is asked if a password is wanted, and not in CI.
        """
        if chosen.password.command:
            return self._from_command(chosen)
        target = chosen.target
        if target.backend != "postgresql" or chosen.credentials or self.ci is not None:
            return chosen
        from flakefighters.profiles import keyring

        answer = keyring.lookup(target, environ=self.inputs.environ)
        notes = chosen.notes + ((answer.trouble,) if answer.trouble else ())
        if answer.secret is None:
            hint = chosen.password.note
            if hint is None and answer.trouble is None and target.host and target.profile:
                hint = f"no password for {urls.endpoint(chosen.url)} is known; "
                hint += f"store it with `flakefighters login {target.profile}`"
            return replace(chosen, notes=notes + ((hint,) if hint else ()))
        return replace(
            chosen,
            target=target._replace(password=answer.secret),
            password=replace(
                chosen.password, secret=answer.secret, origin=Origin(Source.KEYRING, "keyring")
            ),
            credentials=True,
            notes=notes,
        )

    def _from_command(self, chosen: Chosen) -> Chosen:
        from flakefighters.profiles import commands

        password = chosen.password
        secret, trouble = commands.run(password.command, self.inputs.environ)
        if secret is None:
            note = f"the password_command in {password.origin} {trouble}"
            return replace(
                chosen,
                password=replace(password, origin=None, note=note, command=()),
                credentials=False,
                notes=(*chosen.notes, note),
            )
        return replace(
            chosen,
            target=chosen.target._replace(password=secret),
            password=replace(password, secret=secret, command=()),
        )


def select(inputs: Inputs, ci: CiInfo | None, *, need_credentials: bool) -> Resolution:
    """See :func:`flakefighters.profiles.resolve.resolve`."""
    selector = Selector.read(inputs, ci)
    notes: list[str] = []
    said: list[ConfigError] = []
    try:
        reason, profile, chosen = _usable(selector, need_credentials)
    except _InsteadError as instead:
        said += [instead.error]
        reason = instead.reason
        unread = any(one.fatal for one in selector.sources.problems)
        if not (unread and (instead.no_url or not instead.name)):
            # Otherwise it is the file that cannot be read: one trouble, one line.
            rest = "" if instead.name == "local" else "; this run is recorded in local"
            notes.append(f"{instead.error}{rest}")
        profile, chosen, dropped = _own(selector)
        notes += dropped
    notes = _notes([one for one in selector.sources.problems if one.error not in said]) + notes
    if need_credentials:
        chosen = selector.with_keyring(chosen)
    notes += chosen.notes
    record, policy = chosen, profile
    if chosen.target.read_only:
        record, policy = _local(selector, need_credentials)
        notes += record.notes
    return Resolution(
        target=chosen.target,
        record_to=record.target,
        profile=chosen.target.profile,
        reason=reason,
        settings=_settings(selector, profile, policy),
        notes=tuple(dict.fromkeys(notes)),
        ci=ci,
    )


class _InsteadError(Exception):
    """What was chosen cannot be used, and ``local`` takes its place."""

    def __init__(self, name: str, error: ConfigError, reason: str, *, no_url: bool = False):
        super().__init__(reason)
        self.name, self.error, self.reason, self.no_url = name, error, reason, no_url


def _usable(selector: Selector, need_credentials: bool) -> tuple[str, ProfileFields, Chosen]:
    """The chosen profile and why.

    Raises:
        ConfigError: if the user asked for it by name and it cannot be had, or it says itself that
            runs must not go on without it.
        _InsteadError: for all other trouble.
    """
    name, reason = "", ""
    try:
        name, reason = selector.active()
        profile = selector.fields(name)
        chosen = selector.build(name, profile)
    except ConfigError as error:
        raise _instead(selector, name, reason, error) from None
    lacks = _lack(selector, name, chosen, need_credentials)
    if lacks is None:
        assert chosen is not None
        return reason, profile, chosen
    outside = selector.ci is None
    remedy = f"set it in profiles.toml or in {fields.variable('profiles', name, 'url')}"
    if outside and selector.named:
        raise ConfigError(lacks, origin=reason, remedy=remedy)
    if profile.on_error == "fail":
        raise ConfigError(lacks, origin=reason, remedy="on_error = fail forbids to go on")
    what = "URL" if chosen is None else "password"
    why = f"{reason}, but {selector.label(name)} has no {what}"
    lack = ConfigError(lacks, remedy=remedy if outside else None)
    raise _InsteadError(name, lack, why, no_url=chosen is None)


def _instead(selector: Selector, name: str, reason: str, error: ConfigError) -> _InsteadError:
    """The trouble with the chosen profile, if the user need not hear of it alone.

    Raises the ``error`` if runs must not go on.
    """
    unknown = not name and selector.inputs.environ.get("FLAKEFIGHTERS_PROFILE", "").strip() != ""
    unread = any(one.fatal for one in selector.sources.problems)
    if selector.named or (unknown and not unread) or _must_not_go_on(selector, name):
        raise error
    if name:
        why = f"{reason}, but {selector.label(name)} cannot be used"
    else:
        why = f"{error.origin}, but there is no such profile"
    return _InsteadError(name, error, why)


def _must_not_go_on(selector: Selector, name: str) -> bool:
    return selector.merged.profiles.get(name, {}).get("on_error") == "fail"


def _own(selector: Selector) -> tuple[ProfileFields, Chosen, list[str]]:
    """Profile ``local`` without what is malformed in it, and a line for each of that."""
    profile, malformed = validate(selector.merged, "local", selector.layers)
    notes = [str(error) for error in malformed]
    chosen = selector.build("local", profile)
    if chosen is None:
        raise ConfigError("profile local has no URL", remedy="remove what unsets it")
    return profile, chosen, notes


def _url_layer(inputs: Inputs, text: str) -> Layer:
    """The URL of the command line as a profile of its own."""
    option = inputs.option_url_name
    try:
        url = urls.parse(text)
    except urls.UrlError as error:
        raise ConfigError(f"the URL {error}", origin=option) from None
    layer = Layer(Source.COMMAND_LINE, inputs.option_url_in_project)
    if url.password is not None and layer.in_project:
        raise ConfigError(
            "the URL holds a password, which a file of the project may not",
            origin=f"{option} in addopts",
            remedy="remove it and change the password",
        )
    layer.take_url(_URL, url, Origin(layer.source, option, layer.in_project))
    return layer


def _lack(
    selector: Selector, name: str, chosen: Chosen | None, need_credentials: bool
) -> str | None:
    """What a profile lacks to be used, as a sentence."""
    label = selector.label(name)
    if chosen is None:
        return f"profile {label} has no URL"
    if selector.ci is None or not need_credentials or chosen.credentials or name == "local":
        return None
    if chosen.password.note is not None:
        return chosen.password.note
    place = urls.endpoint(chosen.url)
    what = label if name == _URL else f"profile {label}"
    return f"{what} has no password for {place}"


def _local(selector: Selector, need_credentials: bool) -> tuple[Chosen, ProfileFields]:
    """Where to record what a read-only profile cannot take."""
    profile, chosen, _ = _own(selector)
    if profile.read_only:
        origin = origin_of(selector.layers, ("profiles", "local", "read_only"))
        raise ConfigError(
            "profile local is read-only, so that runs have no place",
            origin=str(origin) if origin else None,
            remedy="let local be writable, or use --no-flakefighters-save",
        )
    return selector.with_keyring(chosen) if need_credentials else chosen, profile


def _notes(problems: Sequence[Problem]) -> list[str]:
    """One line for each source, however much is wrong in it."""
    by_source: dict[str, list[ConfigError]] = {}
    for problem in problems:
        error = problem.error
        by_source.setdefault((error.origin or error.message).partition(":")[0], []).append(error)
    return [
        str(first) + (f" (and {len(more)} more: see `flakefighters config`)" if more else "")
        for first, *more in by_source.values()
    ]


def _settings(selector: Selector, active: ProfileFields, policy: ProfileFields) -> Settings:
    merged = selector.merged
    return Settings(
        project=merged.project,
        state_env=merged.state_env,
        secret_env=merged.secret_env,
        keep_runs=policy.keep_runs,
        keep_days=policy.keep_days,
        store_output=policy.store_output,
        on_error=active.on_error,
        confirm=active.confirm,
        confirm_exclude=merged.confirm_exclude,
        confirm_seconds=merged.confirm_seconds,
        confirm_tests=merged.confirm_tests,
        fighters=fighter_tables.given(merged.fighters, selector.layers),
        statistics=merged.statistics,
        quarantine_undecided=active.quarantine_undecided,
    )
