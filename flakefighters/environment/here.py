"""Whether this process is like the one in which a run was made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from flakefighters.environment.facts import Inputs, read
from flakefighters.environment.variables import noted, other_values, that_matter
from flakefighters.model import setting
from flakefighters.words import few

if TYPE_CHECKING:
    from flakefighters.model import Run

__all__ = ["unlike"]

_ENV: Final = "env."
#: What only a session of pytest knows, or a CI service.
_OTHERS: Final = ("pytest.", "ci.", "runner.")


def unlike(run: Run, asked: Callable[[], Iterable[str]]) -> str | None:
    """What differs, as a sentence without a full stop; None if they are alike as far as is known.

    ``asked`` gives the names of variables that the project asks for.
    """
    then = run.environment
    if then is not None:
        names = [name[len(_ENV) :] for name in then.settings if name.startswith(_ENV)]
        here = read(Inputs(state_env={name: os.environ.get(name) for name in names}))
        for name in sorted(then.settings.keys() | here.settings.keys()):
            if name.startswith(_OTHERS) or then.settings.get(name) == here.settings.get(name):
                continue
            return f"{setting(name)} is another one now"
        installed = here.distributions
        others = [name for name, old in then.distributions.items() if installed.get(name) != old]
        if others:
            return f"{few(sorted(others))} {_other(others, 'version')} now"
    noted_then = run.head.context.get("variables")
    noted_now = noted(os.environ, run.head.project)
    if not isinstance(noted_then, str) or noted_then == noted_now:
        return None
    # A run is repeated in the way that it was started in.
    variables = that_matter(asked(), missing=False)
    found = other_values(noted_then, noted_now, run.head.project, variables)
    return f"{few([f'${one}' for one in found])} {_other(found, 'value')} now" if found else None


def _other(names: Sequence[str], what: str) -> str:
    return f"has another {what}" if len(names) == 1 else f"have other {what}s"
