"""Repositories that know nothing of the developer's own git settings."""

from tests.state.conftest import _plain_git as _plain_git
from tests.state.conftest import repo as repo
