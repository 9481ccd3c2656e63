"""Where a run ran: the settings that must be equal, and the distributions installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flakefighters.model import Change, Environment

__all__ = ["Inputs", "compare", "distribution_of", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What only the caller knows; JSON values."""

    #: pytest's options and ini values that alter behaviour.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: CI workflow, job, matrix.
    ci: Mapping[str, Any] = field(default_factory=dict)
    #: The variables of ``state_env``; values are hashed, None for an unset one.
    state_env: Mapping[str, str | None] = field(default_factory=dict)
    #: Where distributions are sought; None: ``sys.path``.
    path: Sequence[str] | None = None


def read(inputs: Inputs) -> Environment:
    """Describe this process."""
    raise NotImplementedError


def distribution_of(module: str, path: Sequence[str] | None = None) -> tuple[str, ...]:
    """Normalised names of the distributions that bring the top-level ``module``."""
    raise NotImplementedError


def compare(old: Environment, new: Environment) -> tuple[Change, ...]:
    """Settings and distributions that differ."""
    raise NotImplementedError
