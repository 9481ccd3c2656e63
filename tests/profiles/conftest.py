from __future__ import annotations

from pathlib import Path

import pytest

from tests.profiles.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A project, a user and an environment, all empty."""
    return World(tmp_path)
