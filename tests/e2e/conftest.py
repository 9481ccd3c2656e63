"""Fixtures of the tests that start pytest itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project without git."""
    return Project(tmp_path)
