"""What a trial needs to know of pytest's session; only where failures are put on trial."""

from __future__ import annotations

import _socket
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flakefighters.errors import ConfigError
from flakefighters.session.settings import registered, typed
from flakefighters.trials.arguments import Known, kept
from flakefighters.trials.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flakefighters.model import RunHead
    from flakefighters.profiles.resolution import Settings
    from flakefighters.session.protocols import SessionView

__all__ = ["bench_here", "bench_of"]

#: Trials may take so many seconds, or this part of the session if that is more.
_SECONDS: Final = 20.0
_PART: Final = 0.1
#: Actions of argparse that take no value.
_FLAGS: Final = frozenset(
    {"store_true", "store_false", "store_const", "append_const", "count", "help", "version"}
)


def bench_of(session: SessionView, which: str) -> Bench:
    """How the tests of a session can be run again; ``which`` failures: "undecided" or "all"."""
    config, world, start = session.config, session.world, session.start
    settings = start.resolution.settings
    took = ((session.head.ended or 0) - session.head.started) / 1_000_000
    told = _told_by(config)
    return Bench(
        python=(world.executable, *told["flags"]),
        arguments=(*told["arguments"], *seeded(session.head, told["options"])),
        environ=dict(world.environ),
        path=tuple(one for one in world.path if isinstance(one, str)),
        cwd=told["cwd"],
        rootdir=told["rootdir"],
        base=str(start.checkout.base),
        inipath=told["inipath"],
        names=_names(session),
        secret_env=settings.secret_env,
        own=tuple(sorted(start.own_distributions)),
        held=held(),
        which=which,
        seconds=settings.confirm_seconds or max(_SECONDS, _PART * took),
        tests=settings.confirm_tests,
        exclude=settings.confirm_exclude,
    )


def _told_by(config: Any) -> dict[str, Any]:
    """What pytest's configuration tells, as JSON values."""
    options = {name: known for names, known in _options(config) for name in names}
    return {
        "flags": subprocess._args_from_interpreter_flags(),  # type: ignore[attr-defined]
        "arguments": kept(_words(config), options),
        "options": sorted(options),
        "cwd": str(config.invocation_params.dir),
        "rootdir": str(config.rootpath),
        "inipath": None if config.inipath is None else str(config.inipath),
    }


def bench_here(folder: Path, base: Path, head: RunHead, settings: Settings) -> Bench:
    """How pytest would run tests in ``folder``, without a session; ConfigError if it cannot."""
    with tempfile.TemporaryDirectory(prefix="ff") as room:
        answer = Path(room) / "answer.json"
        program = [sys.executable, "-m", "flakefighters.session.bench", str(answer)]
        environ = {**os.environ, "FLAKEFIGHTERS": "0"}
        done = subprocess.run(
            program, cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
        if not answer.is_file():
            last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["it said nothing"]
            raise ConfigError(
                f"pytest does not start here: {last[0][:300]}",
                remedy="see what `python -m pytest --collect-only` says",
            )
        told = json.loads(answer.read_text("utf-8"))
    return Bench(
        python=(sys.executable, *told["flags"]),
        arguments=(*told["arguments"], *seeded(head, told["options"])),
        environ=dict(os.environ),
        path=tuple(told["path"]),
        cwd=told["cwd"],
        rootdir=told["rootdir"],
        base=str(base),
        inipath=told["inipath"],
        secret_env=settings.secret_env,
        exclude=settings.confirm_exclude,
    )


def held() -> str | None:
    """What this process still holds that a test may meet; known where there is ``/dev/fd``."""
    try:
        numbers = [int(one) for one in os.listdir("/dev/fd") if one.isdigit()]  # noqa: PTH208
    except OSError:
        return None
    return "the session still holds a port" if any(map(_waits, numbers)) else None


def _waits(number: int) -> bool:
    """Whether a descriptor is a socket that waits for connections."""
    try:
        # Not the class of the module socket, which tests replace.
        found = _socket.socket(fileno=number)
    except (OSError, ValueError):
        return False
    try:
        return bool(found.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN))
    except OSError:
        return False
    finally:
        found.detach()


def _words(config: Any) -> list[str]:
    """All arguments in the order in which pytest has read them."""
    return [*map(str, config.getini("addopts")), *typed(config)]


def _options(config: Any) -> Iterator[tuple[Sequence[str], Known]]:
    """Every option that pytest and its plugins have."""
    for option in registered(config):
        known = option.attrs()
        flag = known.get("action") in _FLAGS or known.get("nargs") == 0
        yield option.names(), Known(option.dest, not flag)


def seeded(head: RunHead, options: Sequence[str]) -> list[str]:
    """The seed of the run again, for tests that draw by it."""
    seed = (head.context.get("seeds") or {}).get("randomly")
    if seed is None or "--randomly-seed" not in options:
        return []
    return [f"--randomly-seed={seed}", "--randomly-dont-reorganize"]


def _names(session: SessionView) -> dict[str, str]:
    """pytest's node ids where the history has others, without the groups of pytest-xdist."""
    found = {}
    for nodeid in session.recorder.suite:
        name = session.names(nodeid)
        if name != nodeid:
            end = nodeid.rfind("@")
            group = end > max(nodeid.rfind("]"), nodeid.rfind("::"))
            found[name] = nodeid[:end] if group and session.names.groups else nodeid
    return found


def main(file: str) -> None:
    """Write to ``file`` how pytest would run here, for :func:`bench_here`.

    A program of its own, since plugins and conftest files of the project are loaded.
    """
    path = list(sys.path)
    from _pytest.config import _prepareconfig

    config = _prepareconfig(["-p", "no:cacheprovider"])
    try:
        answer = {**_told_by(config), "path": path}
    finally:
        config._ensure_unconfigure()
    Path(file).write_text(json.dumps(answer), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
