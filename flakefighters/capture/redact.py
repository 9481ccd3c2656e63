"""Secrets taken out of text before it is normalised, hashed or stored.

Two nets.  *By value*: what environment variables with secret-like names hold, in the spellings
in which a failure shows them (as it is, JSON- or repr-escaped, percent-encoded, in base64, cut
short by pytest).  *By pattern*: see :mod:`flakefighters.capture.redact_patterns`.  What is found
becomes ``<secret>``.  Both take time linear in the text.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flakefighters.capture.redact_patterns import (
    PLACEHOLDER,
    credentials_in_url,
    redact_patterns,
)

__all__ = ["MIN_LENGTH", "PLACEHOLDER", "Redactor", "secret_name"]

#: Values of environment variables shorter than this are not looked for: too many common words.
MIN_LENGTH: Final = 12

# fmt: off
_SECRET_PARTS: Final = frozenset((
    "APIKEY", "AUTH", "AUTHORIZATION", "BEARER", "COOKIE", "CREDENTIAL", "CREDENTIALS", "CREDS",
    "DSN", "JWT", "KEY", "KEYS", "PASS", "PASSCODE", "PASSPHRASE", "PASSWD", "PASSWORD",
    "PASSWORDS", "PAT", "PSK", "PWD", "SECRET", "SECRETS", "TOKEN", "TOKENS", "WEBHOOK",
))
# A name that ends so speaks about a secret; it does not hold one.
_ABOUT: Final = frozenset((
    "ALGORITHM", "BACKEND", "COUNT", "DIR", "DIRECTORY", "ENABLED", "EXPIRES", "FILE", "HOST",
    "LENGTH", "LIMIT", "METHOD", "MODE", "PATH", "PORT", "PROVIDER", "REGION", "SOCK", "SOCKET",
    "TIMEOUT", "TTL", "TYPE", "USER", "USERNAME",
))
# fmt: on
# Names are also written without separators: PGPASSWORD, MYSECRET, AUTHTOKEN, SECRETKEY.
_SECRET_ENDINGS: Final = (
    *("PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS"),
    *("APIKEY", "ACCESSKEY", "ACCOUNTKEY", "AUTHKEY", "ENCRYPTIONKEY", "MASTERKEY"),
    *("PRIVATEKEY", "SECRETKEY", "SIGNINGKEY", "SSHKEY", "STORAGEKEY"),
)
_NOT_SECRET: Final = frozenset(("PWD", "OLDPWD"))  # the current folder

# A value that is a path is no secret, whatever its name (SSH_AUTH_SOCK).  Only well-known roots
# and paths of plain words: keys in base64 may start with a slash as well.
_PATH: Final = (
    r"(?s)(?:/(?:home|root|tmp|var|run|etc|usr|opt|mnt|srv|private|Users|builds|github|workspaces?)/"
    r"|[A-Za-z]:[\\/]|~/|(?:\.{0,2}/[a-z._-]++)++$).*"
)


def secret_name(name: str) -> bool:
    """Whether an environment variable's name says that its value is a secret."""
    if name.upper() in _NOT_SECRET:
        return False
    parts = _parts(name)
    if not parts or parts[-1] in _ABOUT:
        return False
    return any(part in _SECRET_PARTS or part.endswith(_SECRET_ENDINGS) for part in parts)


def _parts(name: str) -> list[str]:
    """``authToken__API-Key`` in its words: AUTH, TOKEN, API, KEY."""
    spaced = ""
    for character in name:
        if not character.isalnum():
            character = " "
        elif character.isupper() and spaced[-1:].islower():
            spaced += " "
        spaced += character
    return spaced.upper().split()


def _telling(value: str) -> bool:
    """Whether a value is worth hiding: no path, and more than a mask such as ``************``."""
    return len(set(value)) > 3 and re.fullmatch(_PATH, value) is None


class Redactor:
    """Takes secrets out of text; call it with a text, get the text without them.

    ``environ`` is read once.  ``values`` are secrets known by other ways.  ``passwords`` are hidden
    whatever their length, short ones and plain words where they stand alone.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        values: Iterable[str] = (),
        passwords: Iterable[str] = (),
    ):
        passwords = [one for one in passwords if one]
        self._secrets = tuple(_known(environ, [*values, *passwords]))
        self._short = _words([one for one in passwords if one not in self._secrets])
        # Spellings are made at the first use: most runs have no failure.
        self._forms: tuple[str, ...] | None = None
        self._elided: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._secrets)} values>"

    def __call__(self, text: str) -> str:
        """``text`` with every secret replaced by ``<secret>``."""
        text = self.known(text)
        if self._short is not None:
            text = self._short.sub(PLACEHOLDER, text)
        return redact_patterns(text)

    def values(self, value: Any) -> Any:
        """A JSON value with every text in it, keys apart, free of secrets."""
        if isinstance(value, list):
            return [self.values(member) for member in value]
        if isinstance(value, dict):
            return {name: self.values(member) for name, member in value.items()}
        return self(value) if isinstance(value, str) else value

    def known(self, text: str) -> str:
        """The same by value alone: for names that must not change without need."""
        for form in self._prepare() if self._forms is None else self._forms:
            if form in text:
                text = text.replace(form, PLACEHOLDER)
        for value in self._elided:
            text = _cut_ends(text, value)
        return text

    def _prepare(self) -> tuple[str, ...]:
        forms = {
            form
            for value in self._secrets
            for form in _spellings(value)
            # Not what another spelling has been replaced by, nor what is left of a short value.
            if len(form) >= min(MIN_LENGTH, len(value)) and form not in PLACEHOLDER
        }
        self._elided = tuple(value for value in self._secrets if re.fullmatch(_OPAQUE, value))
        # Long spellings first: one may contain another.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        return self._forms


def _known(environ: Mapping[str, str], values: Iterable[str]) -> Iterator[str]:
    for name, raw in environ.items():
        value = raw.strip().strip("\"'")
        if len(value) < MIN_LENGTH:
            continue
        if "://" in value:
            # DATABASE_URL, SENTRY_DSN: not the address, but what opens it.
            password = credentials_in_url(value)
            if password is not None and len(password) >= MIN_LENGTH and _telling(password):
                yield password
            if password is None and "hook" not in value:
                continue
        if secret_name(name) and _telling(value):
            yield value
    for value in values:
        # Known to be a secret, but it may be the word "postgres".
        if len(value) >= MIN_LENGTH or (len(value) >= 6 and not value.isalpha()):
            yield value


def _words(passwords: list[str]) -> re.Pattern[str] | None:
    """What finds short passwords, not within other words."""
    forms = {form for one in passwords for form in (one, _percent(one, b""), repr(one)[1:-1])}
    if not forms:
        return None
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")


# -- spellings of a value --------------------------------------------------------------------

_UNRESERVED: Final = (
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"  # RFC 3986
)
_KEY_LINE: Final = "[A-Za-z0-9+/=_-]{20,}"
_OPAQUE: Final = "[A-Za-z0-9+/=_.~-]{24,}"
_PIECE: Final = 16


def _spellings(value: str) -> set[str]:
    """The ways in which a secret is likely to show in a failure's text."""
    escaped = json.dumps(value)[1:-1]
    forms = {
        value,
        escaped,
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        ascii(value)[1:-1],
        repr(escaped)[1:-1],
        repr(value.encode("utf-8", "surrogatepass"))[2:-1],
        value.replace("'", "\\'"),
        value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
    }
    for safe in (b"", b"/", b"!$&'()*+,;=:@/"):
        percent = _percent(value, safe)
        forms |= {percent, percent.replace("%20", "+"), re.sub("%..", _lower, percent)}
    forms.update(_base64(value))
    if "\n" in value:  # pytest puts a prefix before each line of a message
        forms.update(line for line in value.split("\n") if re.fullmatch(_KEY_LINE, line))
    return forms


def _lower(match: re.Match[str]) -> str:
    return match[0].lower()


def _percent(value: str, safe: bytes) -> str:
    plain = _UNRESERVED + safe
    data = value.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in plain else f"%{byte:02X}" for byte in data)


def _base64(value: str) -> Iterator[str]:
    """What any base64 text contains that has ``value`` in it, at each of three alignments."""
    data = value.encode("utf-8", "surrogatepass")
    for shift in range(3):
        encoded = binascii.b2a_base64(b"\0" * shift + data, newline=False).decode("ascii")
        # The first characters depend on what stands before, the last on what follows.
        middle = encoded[(0, 2, 3)[shift] : (shift + len(data)) * 8 // 6]
        yield middle
        yield middle.replace("+", "-").replace("/", "_")


def _cut_ends(text: str, value: str) -> str:
    """Replace the beginning or the end of a long secret whose rest pytest has left out."""
    return _cut_piece(_cut_piece(text, value)[::-1], value[::-1], PLACEHOLDER[::-1])[::-1]


def _cut_piece(text: str, value: str, placeholder: str = PLACEHOLDER) -> str:
    at = text.find(value[:_PIECE])
    if at < 0:
        return text
    out: list[str] = []
    done = 0
    while at >= 0:
        end = at + _PIECE
        while end < len(text) and end - at < len(value) and text[end] == value[end - at]:
            end += 1
        out += [text[done:at], placeholder]
        done = end
        at = text.find(value[:_PIECE], done)
    return "".join(out) + text[done:]
