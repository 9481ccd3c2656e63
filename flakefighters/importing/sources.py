"""Files, folders and zip archives as a row of reports; nothing is unpacked to a disk."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from flakefighters.capture.recovery import open_plain
from flakefighters.errors import NotFoundError
from flakefighters.importing.parts import Bounds, ForeignReportError
from flakefighters.records import NamedTuple

__all__ = ["Source", "sources"]


class Source(NamedTuple):
    """One report that can be read."""

    #: For people; the members of archives stand behind their archive.
    name: str
    #: Names alone: they are never opened.
    folder: str
    file: str
    #: µs UTC.
    modified: int
    read: Callable[[], bytes]


def sources(paths: Iterable[Path], bounds: Bounds, refused: dict[str, str]) -> Iterator[Source]:
    """What there is below ``paths``, in order of names; NotFoundError for a path that is not."""
    left = bounds.files
    for path in paths:
        if not os.path.lexists(path):
            raise NotFoundError(f"no such file or folder: {path}")
        for file in _below(path):
            left -= 1
            if left < 0:
                raise ForeignReportError(f"there are more than {bounds.files:,} files")
            if file.suffix.lower() == ".zip":
                try:
                    yield from _members(file, bounds)
                except (ForeignReportError, OSError, ValueError, zipfile.BadZipFile) as error:
                    refused[str(file)] = f"it is no archive that can be read ({error})"
            elif file == path or file.suffix.lower() == ".xml":
                yield _file(file, bounds)


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(one for one in folders if one not in (".git", "node_modules"))
        for file in sorted(files):
            if file.lower().endswith((".xml", ".zip")):
                yield Path(folder, file)


def _file(path: Path, bounds: Bounds) -> Source:
    def read() -> bytes:
        try:
            with open_plain(path) as file:
                data = file.read(bounds.file_bytes + 1)
        except (OSError, ValueError) as error:
            raise ForeignReportError(f"it cannot be read ({error})") from None
        return _bounded(data, bounds)

    return Source(str(path), str(path.parent), path.name, _modified(path), read)


def _modified(path: Path) -> int:
    try:
        return os.lstat(path).st_mtime_ns // 1000
    except OSError:
        return 0


def _bounded(data: bytes, bounds: Bounds) -> bytes:
    if len(data) > bounds.file_bytes:
        raise ForeignReportError(f"it has more than {bounds.file_bytes:,} bytes")
    return data


def _members(path: Path, bounds: Bounds) -> Iterator[Source]:
    with open_plain(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > bounds.members:
            raise ForeignReportError(f"more than {bounds.members:,} members")
        wanted = [one for one in members if one.filename.lower().endswith(".xml")]
        if sum(one.file_size for one in wanted) > bounds.archive_bytes:
            raise ForeignReportError(f"more than {bounds.archive_bytes:,} bytes unpacked")
        for member in wanted:
            folder, _, name = member.filename.rpartition("/")
            shown = f"{path}!{member.filename}"
            yield Source(
                shown, f"{path}!{folder}", name, _dated(member), _reader(archive, member, bounds)
            )


def _reader(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, bounds: Bounds
) -> Callable[[], bytes]:
    def read() -> bytes:
        large = member.file_size > bounds.small
        if large and member.file_size > bounds.ratio * max(1, member.compress_size):
            raise ForeignReportError("it is packed too tightly to be a report")
        if member.file_size > bounds.file_bytes or member.flag_bits & 1:
            raise ForeignReportError("it is too large, or encrypted")
        try:
            with archive.open(member) as file:
                return _bounded(file.read(bounds.file_bytes + 1), bounds)
        except (OSError, RuntimeError, EOFError, ValueError, zlib.error,
                NotImplementedError, zipfile.BadZipFile) as error:  # fmt: skip
            raise ForeignReportError(f"it cannot be unpacked ({error})") from None

    return read


def _dated(member: zipfile.ZipInfo) -> int:
    """Archives know no time zone: it is taken for UTC."""
    try:
        return round(datetime(*member.date_time, tzinfo=UTC).timestamp() * 1_000_000)
    except ValueError:
        return 0
