"""Journals that hold what was purged."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from flakefighters.capture import wire
from flakefighters.capture.recovery import open_plain, parse
from flakefighters.history.purge_text import purged_execution, purged_verdicts, signature_id
from flakefighters.history.run_checks import is_run_id
from flakefighters.model import Execution, Verdict
from flakefighters.session.places import Spool
from flakefighters.session.spool import ASIDE, look_into
from flakefighters.state.tracked import tracked_in

__all__ = ["empty_journals", "journals_of", "journals_saying"]


def journals_of(spools: Iterable[Spool], run: str) -> list[Path]:
    """The journal of a run, whatever has become of it.  Names are compared, never looked up."""
    if not is_run_id(run):
        return []
    paths = (path for spool in spools for path in _files(spool))
    return [path for path in paths if re.split("[.-]", path.name, maxsplit=1)[0] == run]


def journals_saying(spools: Iterable[Spool], names: Collection[str]) -> list[Path]:
    """Journals of runs that are over, with failures of these signatures."""
    found = []
    for spool in spools:
        living = set(look_into(spool).living)
        found += [path for path in _files(spool) if path not in living and _marked(path, names)]
    return found


def empty_journals(spools: Iterable[Spool], names: Collection[str]) -> int:
    """Take what such failures say out of the journals; returns how many those were."""
    found = journals_saying(spools, names)
    for path in found:
        _rewrite(path, names, _marked(path, names))
    return len(found)


def _files(spool: Spool) -> list[Path]:
    """The journals of a spool, and what was set aside; not what git tracks."""
    found: list[Path] = []
    for folder in (spool.path, spool.path / ASIDE):
        try:
            names = [name for name in sorted(os.listdir(folder)) if ".jsonl" in name]  # noqa: PTH208
        except OSError:
            continue
        tracked = tracked_in(folder, names) if names else ()
        found += [folder / name for name in names if name not in tracked]
    return [path for path in found if not path.is_dir()]


def _lines(path: Path) -> Iterator[tuple[bytes, Any]]:
    with open_plain(path) as file:
        for text in file:
            try:
                yield text, parse(text)
            except ValueError:
                yield b"", None  # cut off: it cannot be read


def _marked(path: Path, names: Collection[str]) -> set[str]:
    """Node ids of the tests that failed so."""
    found = set()
    with contextlib.suppress(OSError, ValueError):  # a pipe, for example
        for _, line in _lines(path):
            one = _execution(line)
            if one and any(signature_id(failure.signature) in names for failure in one.failures):
                found.add(one.nodeid)
    return found


def _execution(line: Any) -> Execution | None:
    if isinstance(line, dict) and "execution" in line:
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            return wire.load(Execution, line["execution"])
    return None


def _rewrite(path: Path, names: Collection[str], marked: set[str]) -> None:
    whole = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for text, line in _lines(path):
                file.write(_purged(text, line, names, marked))
            file.flush()
            os.fsync(file.fileno())
        whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)


def _purged(text: bytes, line: Any, names: Collection[str], marked: set[str]) -> bytes:
    one = _execution(line)
    if one is not None and one.nodeid in marked:
        line["execution"] = wire.dump(purged_execution(one, names))
    elif isinstance(line, dict) and line.get("verdicts"):
        try:
            said = [wire.load(Verdict, verdict) for verdict in line["verdicts"]]
        except (ValueError, TypeError, KeyError, AttributeError):
            return b""  # as above
        pairs = {(verdict.run, verdict.nodeid) for verdict in said if verdict.nodeid in marked}
        line["verdicts"] = [wire.dump(one) for one in purged_verdicts(said, names, pairs)]
    else:
        return text
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
