"""Journals that hold what was purged."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from flakefighters.capture import wire
from flakefighters.capture.journal import leftovers
from flakefighters.history.purge_text import purged_execution, purged_verdicts, signature_id
from flakefighters.model import Execution, Verdict

__all__ = ["empty_journals", "journals_of", "journals_saying"]


def journals_of(folder: Path, run: str) -> list[Path]:
    """The journal of a run, whatever has become of it."""
    return sorted(path for path in folder.glob(f"{run}.*") if path.is_file())


def journals_saying(folder: Path, names: Collection[str]) -> list[Path]:
    """Journals of runs that are over, with failures of these signatures."""
    over = [*leftovers(folder, time.time()), *sorted(folder.glob("*.damaged"))]
    return [path for path in over if _marked(path, names)]


def empty_journals(folder: Path, names: Collection[str]) -> int:
    """Take what such failures say out of the journals; returns how many those were."""
    found = journals_saying(folder, names)
    for path in found:
        _rewrite(path, names, _marked(path, names))
    return len(found)


def _lines(path: Path) -> Iterator[tuple[bytes, Any]]:
    with path.open("rb") as file:
        for text in file:
            try:
                yield text, json.loads(text)
            except ValueError:
                yield b"", None  # cut off: nobody can read it, nor tell what it says


def _marked(path: Path, names: Collection[str]) -> set[str]:
    """Node ids of the tests that failed so."""
    found = set()
    with contextlib.suppress(OSError):
        for _, line in _lines(path):
            one = _execution(line)
            if one and any(signature_id(failure.signature) in names for failure in one.failures):
                found.add(one.nodeid)
    return found


def _execution(line: Any) -> Execution | None:
    if isinstance(line, dict) and "execution" in line:
        with contextlib.suppress(ValueError, TypeError, KeyError):
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
        said = [wire.load(Verdict, verdict) for verdict in line["verdicts"]]
        pairs = {(verdict.run, verdict.nodeid) for verdict in said if verdict.nodeid in marked}
        line["verdicts"] = [wire.dump(one) for one in purged_verdicts(said, names, pairs)]
    else:
        return text
    return json.dumps(line).encode() + b"\n"
