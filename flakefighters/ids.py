"""Names for facts: hashes of content and time-ordered ids, equal on every machine.

All hashes are SHA-256 over *length-prefixed* fields, so that no two different lists of fields
give the same bytes: each field is its type letter, its length in bytes as decimal digits, a
colon, and the bytes.  ``None`` is ``n0:``, integers are ``i`` with decimal digits, booleans are
``b``, text is ``s`` with UTF-8, lists and tuples are ``l`` with their encoded members, mappings
are ``m`` with key and value in order of their keys.  Floats are refused: they do not travel.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from flakefighters.originals import real

__all__ = [
    "Field",
    "encode",
    "h64",
    "h64_each",
    "h128",
    "h256",
    "short",
    "storable",
    "unstorable",
    "uuid7",
]

# A field of a hash: None, bool, int, str, bytes, and lists and mappings of them.
Field = object


def encode(value: Field) -> bytes:
    """Return the canonical bytes of one field (see the module's text)."""
    if type(value) is str:  # most are, in suites of thousands of tests
        body = storable(value).encode("utf-8")
        return b"s%d:%b" % (len(body), body)
    if value is None:
        letter, body = b"n", b""
    elif isinstance(value, bool):
        letter, body = b"b", b"1" if value else b"0"
    elif isinstance(value, int):
        letter, body = b"i", b"%d" % value
    elif isinstance(value, str):
        letter, body = b"s", storable(value).encode("utf-8")
    elif isinstance(value, bytes):
        letter, body = b"y", value
    elif isinstance(value, Mapping):
        letter = b"m"
        # Ordered by the stored spelling: it is what the other side will see and sort.
        pairs = sorted((storable(str(key)), value[key]) for key in value)
        body = b"".join(encode(key) + encode(member) for key, member in pairs)
    elif isinstance(value, Sequence):
        letter, body = b"l", b"".join(map(encode, value))
    else:
        raise TypeError(f"cannot hash a {type(value).__name__}")
    return letter + b"%d:" % len(body) + body


def _digest(fields: Sequence[Field]) -> bytes:
    return hashlib.sha256(b"".join(map(encode, fields))).digest()


def h64(*fields: Field) -> int:
    """The first 8 bytes of the hash, as a signed integer (what both databases store natively)."""
    return int.from_bytes(_digest(fields)[:8], "big", signed=True)


def h64_each(fields: Sequence[Field], last: Sequence[Field]) -> list[int]:
    """``h64(*fields, one)`` for each of ``last``, in half the time."""
    start = hashlib.sha256(b"".join(map(encode, fields)))
    found = []
    for one in last:
        made = start.copy()
        made.update(encode(one))
        found.append(int.from_bytes(made.digest()[:8], "big", signed=True))
    return found


def h128(*fields: Field) -> str:
    """The first 16 bytes of the hash, as 32 hexadecimal digits."""
    return _digest(fields)[:16].hex()


def h256(*fields: Field) -> str:
    """The whole hash, as 64 hexadecimal digits."""
    return _digest(fields).hex()


def uuid7(at_us: int | None = None, tail: bytes | None = None) -> str:
    """A new UUIDv7 (RFC 9562) as 32 hexadecimal digits; sorts by its time, ``at_us`` in µs UTC.

    ``tail`` are ten bytes for what is random else: the same ones give the same id.
    """
    milliseconds = (at_us * 1000 if at_us is not None else real.time_ns()) // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(tail or real.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


def short(run_id: str, digits: int = 4) -> str:
    """The spelling of a run that people read and type: the last digits, which are random."""
    return run_id[-digits:]


# PostgreSQL's text cannot hold NUL and UTF-8 cannot hold a lone surrogate.  Both are written as
# U+0011 (a control character that hardly any text uses, itself escaped) and four digits.
_MARK: Final = "\x11"
_UNSAFE: Final = "[\x00\x11\ud800-\udfff]"
_ESCAPED: Final = "\x11([0-9a-f]{4})"


def storable(text: str) -> str:
    """Escape, reversibly, what a database or UTF-8 cannot hold: NUL and lone surrogates."""
    if text.isascii() and "\x00" not in text and _MARK not in text:
        return text
    return re.sub(_UNSAFE, lambda match: f"{_MARK}{ord(match[0]):04x}", text)


def unstorable(text: str) -> str:
    """The inverse of :func:`storable`."""
    if _MARK not in text:
        return text
    return re.sub(_ESCAPED, lambda match: chr(int(match[1], 16)), text)
