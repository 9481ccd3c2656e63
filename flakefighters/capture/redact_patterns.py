"""The shapes of secrets: tokens, private keys, credentials in URLs.

What a name gives away (``password=...``) is in :mod:`flakefighters.capture.redact_names`.

Time is linear in the text: a pattern is compiled and tried only where the plain string that it
starts with occurs, and none looks at more than a bounded stretch that it does not replace.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from flakefighters.capture.redact_names import PLACEHOLDER, redact_named, template

__all__ = ["PLACEHOLDER", "credentials_in_url", "redact_patterns"]


def redact_patterns(text: str) -> str:
    """``text`` with everything that has the shape of a secret replaced by ``<secret>``."""
    for prefix, body in _TOKENS.items():
        if prefix in text:
            text = _token(prefix, body).sub(PLACEHOLDER, text)
    if "Q~" in text:
        text = re.sub(_AZURE, PLACEHOLDER, text)
    if "PRIVATE KEY" in text:
        text = _private_keys(text)
    if "://" in text and "@" in text:
        text = re.sub(_URL, _url_password, text)
        text = re.sub(_URL_KEY, f"://{PLACEHOLDER}@", text)
    return redact_named(text)


def credentials_in_url(text: str) -> str | None:
    """The password (or the lone key) in a URL, None if there is none."""
    match = re.search(_URL, text) or re.search(_URL_KEY, text)
    return match["password"] if match is not None else None


# -- shapes of tokens ------------------------------------------------------------------------

# What every such token starts with, and what follows.  A token starts where no letter or digit
# stands before it, apart from an escape sequence (``\n``, ``%3D``).
_TOKENS: Final = {
    # GitHub, GitLab
    **dict.fromkeys(("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "[A-Za-z0-9]{20,}"),
    "github_pat_": r"\w{20,}",
    **dict.fromkeys(
        [
            "glpat-",
            "gldt-",
            "glrt-",
            "glcbt-",
            "glptt-",
            "glft-",
            "glsoat-",
            "glagent-",
            "gloas-",
            "glimt-",
        ],
        r"[\w.-]{20,}",
    ),
    # Slack
    **dict.fromkeys(
        [
            "xoxa-",
            "xoxb-",
            "xoxc-",
            "xoxd-",
            "xoxe-",
            "xoxe.",
            "xoxo-",
            "xoxp-",
            "xoxr-",
            "xoxs-",
            "xapp-",
        ],
        "[A-Za-z0-9.%-]{10,}",
    ),
    "hooks.slack.com/services/": r"[\w/]{20,}",
    # AWS, Google, Azure
    **dict.fromkeys(("AKIA", "ASIA", "ABIA", "ACCA"), "[A-Z0-9]{16}(?![A-Za-z0-9])"),
    "AIza": r"[\w-]{35}",
    "GOCSPX-": r"[\w-]{20,}",
    "ya29.": r"[\w.-]{20,}",
    # Payment, mail, chat
    **dict.fromkeys(
        ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"],
        "[A-Za-z0-9+/=]{16,}",
    ),
    "SG.": r"[\w-]{16,}+\.[\w-]{16,}",
    "key-": "[0-9a-f]{32}(?![A-Za-z0-9])",
    # Package registries
    "npm_": "[A-Za-z0-9]{30,}",
    "pypi-": r"[\w-]{50,}",
    "rubygems_": "[0-9a-f]{40,}",
    "oy2": "[a-z0-9]{43}(?![A-Za-z0-9])",
    "dckr_pat_": r"[\w-]{20,}",
    # Models
    "sk-": r"(?:(?:proj|ant|svcacct|admin|or)-[\w-]{20,}|[A-Za-z0-9]{20,})",
    "hf_": "[A-Za-z0-9]{30,}",
    "r8_": "[A-Za-z0-9]{30,}",
    # Databases and hosts
    "sbp_": "[0-9a-f]{30,}",
    "sb_secret_": r"[\w-]{16,}",
    "npg_": "[A-Za-z0-9]{10,}",
    "pscale_": r"(?:tkn|pw|oauth)_[\w.-]{20,}",
    "dop_v1_": "[0-9a-f]{40,}",
    "dapi": "[0-9a-f]{32}(?![A-Za-z0-9])",
    "shpat_": "[0-9A-Fa-f]{32}",
    "shpss_": "[0-9A-Fa-f]{32}",
    "hvs.": r"[\w-]{20,}",
    "hvb.": r"[\w-]{20,}",
    "sntrys_": r"[\w+/=-]{20,}",
    "glsa_": r"\w{30,}",
    "glc_": "[A-Za-z0-9+/=]{30,}",
    "lin_api_": "[A-Za-z0-9]{30,}",
    "ATATT3": r"[\w=-]{40,}",
    "PMAK-": "[0-9a-f-]{40,}",
    "AGE-SECRET-KEY-1": "[A-Z0-9]{40,}",
    # JSON web tokens: a header that starts with {", a payload, a signature
    "eyJ": r"[\w-]{8,}+\.eyJ[\w-]{8,}+(?:\.[\w-]*+)?",
}


# Tokens whose characters may stand before them as well start only where none does.
_BEFORE: Final = {"eyJ": r"[\w-]"}


@cache
def _token(prefix: str, body: str) -> re.Pattern[str]:
    # The prefix comes first, so that the engine searches for it as a plain string.
    start = re.escape(prefix)
    other = _BEFORE.get(prefix, "[A-Za-z0-9]")
    before = rf"(?:(?<!{other}{start})|(?<=\\[nrt]{start})|(?<=%[0-9A-Fa-f][0-9A-Fa-f]{start}))"
    return re.compile(start + before + body)


# Azure's client secrets have their mark inside: three characters, a digit, "Q~".
_AZURE: Final = r"[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])"


# -- private keys ----------------------------------------------------------------------------

_PEM: Final = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PEM_END: Final = "-----END "
_PEM_LIMIT: Final = 20_000


def _private_keys(text: str) -> str:
    out: list[str] = []
    done = 0
    match = re.search(_PEM, text)
    while match is not None:
        following = re.compile(_PEM).search(text, match.end())
        limit = min(match.end() + _PEM_LIMIT, following.start() if following else len(text))
        end = text.find(_PEM_END, match.end(), limit)
        if end >= 0:
            end = text.find("-----", end + len(_PEM_END), limit)
            end = limit if end < 0 else end + 5
        else:  # cut off: up to the next empty line
            end = text.find("\n\n", match.end(), limit)
            end = limit if end < 0 else end
        out += [text[done : match.start()], PLACEHOLDER]
        done, match = end, following
    return "".join(out) + text[done:]


# -- URLs ------------------------------------------------------------------------------------

# The password may hold an unencoded "/" or "@", but host:8080/path@x has none.
_URL: Final = (
    r"""://(?P<user>[^\s/?#@"'`\[:]{0,256}+):(?!\d{1,5}(?:[/?#]|$))"""
    r"""(?P<password>[^\s"'`@]{1,256}+(?:@[^\s/"'`@]{1,256}+(?=@))?)@(?!sha256:)"""
)
_URL_KEY: Final = r"://(?P<password>[A-Za-z0-9_-]{20,256}+)@"


def _url_password(match: re.Match[str]) -> str:
    if template(match["password"]):
        return match[0]
    return f"://{match['user']}:{PLACEHOLDER}@"
