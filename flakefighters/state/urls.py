"""Names of repositories from the many spellings of their URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["canonical", "is_local", "name_of", "remotes"]

_LONGEST: Final = 2000
_SCHEME: Final = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_DRIVE: Final = r"[A-Za-z]:[\\/]"
_HELPER: Final = r"[A-Za-z0-9]+::"
_SCP: Final = r"(?s)(?:[^/@]*@)?(\[[0-9A-Fa-f:.]+\]|[^/:@\[\]]+):(?!//)(.*)"
_HOST: Final = r"\[[0-9a-f:.]+\]|[\w.-]*\w"
_UNFIT: Final = r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
#: Second names under which well-known hosts answer to ssh.
_SAME_HOST: Final = {
    "ssh.github.com": "github.com",
    "www.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "ssh.dev.azure.com": "dev.azure.com",
    "vs-ssh.visualstudio.com": "dev.azure.com",
}


def canonical(url: str) -> str | None:
    """``host/owner/name`` in lower case, without credentials and port; None for what has no host.

    Also takes ``host/owner/name`` itself.
    """
    if not url or len(url) > _LONGEST:
        return None
    host, path = _host_and_path(url.strip())
    host = host.lower().rstrip(".")
    if not re.fullmatch(_HOST, host):
        return None
    if "%" in path:
        from urllib.parse import unquote  # milliseconds that hardly any address needs

        path = unquote(path)
    parts = [part for part in path.lower().split("/") if part not in ("", ".")]
    if parts:
        parts[-1] = parts[-1].removesuffix(".git")
    host, parts = _special(_SAME_HOST.get(host, host), parts)
    name = "/".join((host, *parts))
    if not parts or not parts[-1] or ".." in parts or re.search(_UNFIT, name):
        return None
    return name


def _host_and_path(text: str) -> tuple[str, str]:
    """The two parts of a URL in any spelling; no host where there is none."""
    if scheme := re.match(_SCHEME, text):
        if scheme[1].lower() == "file":
            return "", ""
        authority, _, path = text[scheme.end() :].partition("/")
        host = re.sub(r":\d*$", "", authority.rpartition("@")[2])
        return host, re.split(r"[?#]", path, maxsplit=1)[0]
    if re.match(_HELPER, text) or is_local(text):
        return "", ""
    if found := re.fullmatch(_SCP, text):
        return found[1], found[2]
    host, _, path = text.partition("/")
    return (host, path) if "." in host else ("", "")


def _special(host: str, parts: list[str]) -> tuple[str, list[str]]:
    """Azure spells one repository in three ways."""
    if host == "dev.azure.com" and len(parts) == 4 and parts[0] == "v3":
        return host, parts[1:]
    if host == "dev.azure.com" and len(parts) == 4 and parts[2] == "_git":
        return host, [parts[0], parts[1], parts[3]]
    if host.endswith(".visualstudio.com") and len(parts) in (3, 4) and parts[-2] == "_git":
        return "dev.azure.com", [host.removesuffix(".visualstudio.com"), parts[-3], parts[-1]]
    return host, parts


def is_local(url: str) -> bool:
    """True for a remote that is a folder or a file."""
    if url.lower().startswith("file://") or re.match(_DRIVE, url):
        return True
    colon, slash = url.find(":"), url.find("/")
    backslash = url.startswith(("\\\\", ".\\", "..\\"))
    return backslash or url.startswith(("/", ".", "~")) or (colon < 0 and slash < 0)


def name_of(url: str) -> str:
    """The last part of a path or URL, without ``.git``: something to show."""
    return re.split(r"[\\/:]", url.rstrip("\\/"))[-1].removesuffix(".git") or "project"


def _without_credentials(url: str) -> str:
    scheme = re.match(_SCHEME, url)
    if not scheme:
        return url
    authority, slash, path = url[scheme.end() :].partition("/")
    path = re.split(r"[?#]", path, maxsplit=1)[0]
    return f"{scheme[0]}{authority.rpartition('@')[2]}{slash}{path}"


def remotes(config: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Remotes and their first URLs from git's settings, ``insteadOf`` applied, no credentials."""
    pairs = list(config)
    prefixes = sorted(
        (
            (value, key[len("url.") : -len(".insteadof")])
            for key, value in pairs
            if key.startswith("url.") and key.endswith(".insteadof") and value
        ),
        key=lambda pair: -len(pair[0]),
    )
    found: dict[str, str] = {}
    for key, value in pairs:
        if key.startswith("remote.") and key.endswith(".url") and value:
            url = value
            for prefix, real in prefixes:
                if value.startswith(prefix):
                    url = real + value[len(prefix) :]
                    break
            found.setdefault(key[len("remote.") : -len(".url")], _without_credentials(url))
    return found
