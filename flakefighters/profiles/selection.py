"""The long way to a profile, for whoever has configured something: read, merge, select, check.

Heavy: imports pydantic-settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from flakefighters.errors import ConfigError
from flakefighters.profiles import fields, urls
from flakefighters.profiles.ci import CiInfo
from flakefighters.profiles.layers import Layer, Problem, Sources, read
from flakefighters.profiles.resolution import Inputs, Origin, Resolution, Settings, Source
from flakefighters.profiles.schema import Merged, ProfileFields, merge, origin_of, validate
from flakefighters.profiles.targets import Chosen, build

__all__ = ["Selector", "select"]

#: The key of the URL given on the command line among the profiles; no profile can be called so.
_URL = "@url"


@dataclass(slots=True)
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

        Raises:
            ConfigError: for what spoils everything: the project's file is not TOML, ...
        """
        sources = read(inputs)
        for problem in sources.problems:
            if problem.fatal:
                raise problem.error
        layers = sources.layers
        if inputs.option_url is not None:
            layers = (_url_layer(inputs, inputs.option_url), *layers)
        return cls(inputs, ci, sources, layers, merge(layers))

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
            what = self.ci.vendor if self.ci.vendor != "unknown" else f"variable {self.ci.evidence}"
            return self._known(self.merged.ci_profile, f"CI detected: {what}", origin)
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
        shown = written if written.isprintable() else "?"
        error = f"there is no profile {shown!r}; known are {', '.join(names)}"
        remedy = f"did you mean {self.label(near)}?" if near else None
        broken = [p.error.message for p in self.sources.problems if p.profile is None]
        if broken and not near:
            remedy = f"note that {broken[0]}"
        raise ConfigError(error, origin=str(origin or reason), remedy=remedy)

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
        return validate(self.merged, name, self.layers)

    def build(self, name: str, profile: ProfileFields) -> Chosen | None:
        """A profile's target, None without a URL; the keyring is not asked."""
        chosen = build(self.inputs, self.layers, name, profile, self.label(name))
        if chosen is not None and name == _URL:
            return replace(chosen, target=replace(chosen.target, profile=None))
        return chosen

    def with_keyring(self, chosen: Chosen) -> Chosen:
        """The same with a password from the keyring, if one is wanted, not in CI, and there."""
        target = chosen.target
        if target.backend != "postgresql" or chosen.credentials or self.ci is not None:
            return chosen
        from flakefighters.profiles import keyring

        answer = keyring.lookup(target, environ=self.inputs.environ)
        notes = chosen.notes + ((answer.note,) if answer.note else ())
        if answer.secret is None:
            hint = chosen.password.note
            if hint is None and answer.note is None and target.host and target.profile:
                hint = f"no password for {urls.endpoint(chosen.url)} is known; "
                hint += f"store it with `flakefighters login {target.profile}`"
            return replace(chosen, notes=notes + ((hint,) if hint else ()))
        return replace(
            chosen,
            target=replace(target, password=answer.secret),
            password=replace(
                chosen.password, secret=answer.secret, origin=Origin(Source.KEYRING, "keyring")
            ),
            credentials=True,
            notes=notes,
        )


def select(inputs: Inputs, ci: CiInfo | None, *, need_credentials: bool) -> Resolution:
    """See :func:`flakefighters.profiles.resolve.resolve`."""
    selector = Selector.read(inputs, ci)
    name, reason = selector.active()
    profile = selector.fields(name)
    chosen = selector.build(name, profile)
    notes = _notes(selector.sources.problems)
    lacks = _lack(selector, name, chosen, need_credentials)
    if lacks is not None:
        label = selector.label(name)
        if ci is None:
            variable = fields.variable("profiles", name, "url")
            remedy = f"set it in profiles.toml or in {variable}"
            raise ConfigError(lacks, origin=reason, remedy=remedy)
        if profile.on_error == "fail":
            raise ConfigError(lacks, origin=reason, remedy="on_error = fail forbids to go on")
        notes.append(f"{lacks}; this run is recorded in local")
        reason = f"{reason}, but {label} has no {'URL' if chosen is None else 'password'}"
        name = "local"
        profile = selector.fields(name)
        chosen = selector.build(name, profile)
    if chosen is None:
        raise ConfigError("profile local has no URL", remedy="remove what unsets it")
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
    profile = selector.fields("local")
    chosen = selector.build("local", profile)
    if chosen is None or profile.read_only:
        origin = origin_of(selector.layers, ("profiles", "local", "read_only"))
        raise ConfigError(
            "profile local is read-only, so that runs have no place",
            origin=str(origin) if origin else None,
            remedy="let local be writable, or use --no-flakefighters-save",
        )
    return selector.with_keyring(chosen) if need_credentials else chosen, profile


def _notes(problems: Sequence[Problem]) -> list[str]:
    return [str(problem.error) for problem in problems]


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
    )
