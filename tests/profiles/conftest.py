from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.profiles import commands, keyring
from tests.profiles.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A project, a user and an environment, all empty."""
    return World(tmp_path)


@pytest.fixture
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer for the keyring, which has its own tests: asking it costs a process each time."""
    monkeypatch.setattr(keyring, "lookup", lambda *_, **__: commands.Answer(None, None))
