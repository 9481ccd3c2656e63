"""A small world in which profiles are chosen: a project's folder, a user's, and variables."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flakefighters.model.views import ProfileView, SettingsView
from flakefighters.profiles import Inputs, Resolution, resolve
from flakefighters.profiles.views import all_settings, profiles

GITHUB = {"CI": "true", "GITHUB_ACTIONS": "true"}
TEAM = """\
default_profile = "local"
ci_profile = "ci"

[profiles.local]
url = "sqlite:///flakefighters.db"

[profiles.ci]
url = "postgresql://ci_writer@db.example.org:5432/flakes"

[profiles.shared]
url = "postgresql://reader@db.example.org:5432/flakes"
read_only = true
"""
PLACE = "ci_writer@db.example.org:5432/flakes"


def variable(name: str, field: str) -> str:
    return f"FLAKEFIGHTERS_PROFILES__{name}__{field}".upper()


@dataclass
class World:
    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.anchor = self.root / "shop"
        self.home = self.root / "home"
        self.anchor.mkdir(exist_ok=True)
        self.home.mkdir(exist_ok=True)
        self.environ["HOME"] = str(self.home)
        # No keyring but the one that a test names.
        self.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"

    @property
    def user_file(self) -> Path:
        return self.home / ".config" / "flakefighters" / "profiles.toml"

    def project(self, text: str = TEAM) -> World:
        (self.anchor / "profiles.toml").write_text(text, encoding="utf-8")
        return self

    def pyproject(self, text: str) -> World:
        (self.anchor / "pyproject.toml").write_text(text, encoding="utf-8")
        return self

    def user(self, text: str) -> World:
        self.user_file.parent.mkdir(parents=True, exist_ok=True)
        self.user_file.write_text(text, encoding="utf-8")
        return self

    def env(self, **variables: str) -> World:
        self.environ.update(variables)
        return self

    def ci(self) -> World:
        return self.env(**GITHUB)

    def inputs(self, **options: Any) -> Inputs:
        options.setdefault("user_config_dir", self.home / ".config" / "flakefighters")
        return Inputs(anchor=self.anchor, environ=self.environ, **options)

    def resolve(self, *, need_credentials: bool = True, **options: Any) -> Resolution:
        return resolve(self.inputs(**options), need_credentials=need_credentials)

    def settings(self, **options: Any) -> SettingsView:
        return all_settings(self.inputs(**options))

    def profiles(self, **options: Any) -> dict[str, ProfileView]:
        return {view.name: view for view in profiles(self.inputs(**options))}
