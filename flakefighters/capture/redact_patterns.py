"""The shapes of secrets: tokens, keys, assignments, authorisation headers, credentials in URLs.

Time is linear in the text: a pattern is compiled and tried only where the plain string that it
starts with occurs, and none can backtrack over more than a bounded stretch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

__all__ = ["PLACEHOLDER", "credentials_in_url", "redact_patterns"]

PLACEHOLDER: Final = "<secret>"


def redact_patterns(text: str) -> str:
    """``text`` with everything that has the shape of a secret replaced by ``<secret>``."""
    for prefix, body in _TOKENS.items():
        if prefix in text:
            text = _token(prefix, body).sub(PLACEHOLDER, text)
    if "Q~" in text:
        text = _compiled(_AZURE).sub(PLACEHOLDER, text)
    if "PRIVATE KEY" in text:
        text = _private_keys(text)
    if "://" in text and "@" in text:
        text = _compiled(_URL).sub(_url_password, text)
        text = _compiled(_URL_KEY).sub(f"://{PLACEHOLDER}@", text)
    text = _replace(text, _HEADER_WORDS, _HEADER, _authorised)
    return _replace(text, _NAME_WORDS, _ASSIGNED, _assigned)


def credentials_in_url(text: str) -> str | None:
    """The password (or the lone key) in a URL, None if there is none."""
    match = _compiled(_URL).search(text) or _compiled(_URL_KEY).search(text)
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
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when first needed: it takes milliseconds, and most runs have no failure."""
    return re.compile(pattern)


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
    match = _compiled(_PEM).search(text)
    while match is not None:
        following = _compiled(_PEM).search(text, match.end())
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
_TEMPLATE: Final = r"\{.*\}|%s|%\(.*|\$.*|<.*>|\*+|\.\.\.|…"


def _url_password(match: re.Match[str]) -> str:
    if _compiled(_TEMPLATE).fullmatch(match["password"]):
        return match[0]
    return f"://{match['user']}:{PLACEHOLDER}@"


# -- names and what is assigned to them ------------------------------------------------------

_HEADER_WORDS: Final = ("authorization", "bearer ")
_HEADER: Final = r"""(?xi)
    (?: authorization\\{0,3}["']?[ \t]{0,8}[:=,][ \t]{0,8}[bru]{0,2}(?:\\{0,3}["'])?
        (?P<scheme>(?:bearer|basic|token|digest|apikey|negotiate)[ \t]{1,8})?
      | (?P<bearer>bearer[ \t]{1,8}) )
    (?P<value>[^\s"'\\,;<>()]{6,4096}+)"""

_KEY_KINDS: Final = (
    *("api", "access", "account", "auth", "encryption", "master", "private", "secret", "shared"),
    *("signing", "storage", "subscription"),
)
_KEY_BEFORE: Final = "|".join(
    f"(?<={kind}{separator})" for kind in _KEY_KINDS for separator in ("", "_", "-")
)
_NAME_WORDS: Final = ("pass", "pwd", "secret", "token", "credential", "key", "sig=")
# The end of a name, an operator, and a value.  "==" compares, "::" is part of a node id.
_ASSIGNED: Final = rf"""(?xi)
    (?: (?P<password> passwords? | passwd | passphrase | (?<=[_-])pass | pwd | secret
                    | credentials? )
      | token | (?:{_KEY_BEFORE})key | (?<=[?&])sig )
    (?![A-Za-z0-9_-]) (?:\\{{0,3}}["'])? [ \t]{{0,8}}
    (?P<operator> => | := | =(?!=) | :(?!:) ) (?P<space>[ \t]{{0,8}})
    (?: [bru]{{0,2}} \\{{0,3}}(?P<quote>["'])
        (?P<quoted>(?:(?!(?P=quote))[^\n\\]|\\(?!["'])){{1,4096}}+)
      | (?P<bare>(?:[^\s"'`,;&<>|\\]|\\(?![nrt"'\\])){{6,4096}}+) )"""
_WORD: Final = r"[A-Za-z_][\w.]*"
_CALL: Final = r"[A-Za-z_][\w.]*[(\[{](?:[^)\]}]*|.*[)\]}])"
_CLOSERS: Final = ")]}.:"


def _authorised(match: re.Match[str]) -> tuple[int, int] | None:
    value = match["value"]
    if match["scheme"] is None and (len(value) < 8 or (_is_word(value) and len(value) < 20)):
        return None  # "authorization: required", "bearer authentication failed"
    return match.span("value")


def _assigned(match: re.Match[str]) -> tuple[int, int] | None:
    """Where the secret in an assignment is, None if what is assigned does not look like one."""
    password = match["password"] is not None
    if match["quoted"] is not None:
        return _quoted(match, password)
    value = match["bare"].rstrip(_CLOSERS) if "(" not in match["bare"] else match["bare"]
    start = match.start("bare")
    span = start, start + len(value)
    if len(value) < 6 or _compiled(_CALL).fullmatch(value) or _compiled(_TEMPLATE).fullmatch(value):
        return None  # derive(...) and the like
    if _is_word(value):
        # A variable or an annotation in code, unless it stands as in "password=letmein".
        tight = match["operator"] == "=" and not match["space"] and value.isalpha()
        after = match.string[span[1] : span[1] + 1]
        return span if password and tight and after in ("", " ", "\n", "&", ";", '"', "'") else None
    if password:
        return span
    return span if len(value) >= 8 and _has_digit(value) else None


def _quoted(match: re.Match[str], password: bool) -> tuple[int, int] | None:
    value, span = match["quoted"], match.span("quoted")
    if _compiled(_TEMPLATE).fullmatch(value) or not value.strip("*.x… "):
        return None  # a template, a mask
    if password:
        return span if len(value) >= 6 else None
    return span if len(value) >= 8 and not _is_word(value) and " " not in value else None


def _is_word(value: str) -> bool:
    return not _has_digit(value) and _compiled(_WORD).fullmatch(value) is not None


def _has_digit(value: str) -> bool:
    return any("0" <= character <= "9" for character in value)


def _replace(
    text: str,
    words: tuple[str, ...],
    pattern: str,
    where: Callable[[re.Match[str]], tuple[int, int] | None],
) -> str:
    """Try ``pattern`` only where one of ``words`` occurs, in any case; replace what ``where`` says.

    Case is folded here, because the engine is many times slower when it folds.
    """
    low = text.replace("\u0130", "i").lower()  # the only letter that changes its length
    spots: set[int] = set()
    for word in words:
        at = low.find(word)
        while at >= 0:
            spots.add(at)
            at = low.find(word, at + len(word))
    if not spots:
        return text
    tried = _compiled(pattern)
    out: list[str] = []
    done = 0
    for spot in sorted(spots):
        if spot < done:
            continue
        match = tried.match(text, spot)
        span = where(match) if match is not None else None
        if span is not None:
            out += [text[done : span[0]], PLACEHOLDER]
            done = span[1]
    return "".join(out) + text[done:]
