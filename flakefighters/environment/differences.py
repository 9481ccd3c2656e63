"""What differs between two environments, as changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flakefighters.model import Change, ChangeKind, Environment

__all__ = ["compare"]


def compare(old: Environment, new: Environment) -> tuple[Change, ...]:
    """Settings, then distributions, that differ; each in order of name."""
    return (
        *_differing(ChangeKind.SETTING, old.settings, new.settings),
        *_differing(ChangeKind.DISTRIBUTION, old.distributions, new.distributions),
    )


def _differing(kind: ChangeKind, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name in old and name in new and old[name] == new[name]:
            continue
        how = "added" if name not in old else "removed" if name not in new else "changed"
        found.append(
            Change(
                kind=kind,
                path=name,
                how=how,
                before=_shown(old[name]) if name in old else None,
                after=_shown(new[name]) if name in new else None,
            )
        )
    return found


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
