"""Secrets that a name gives away: assignments, headers, cookies, options of commands.

Time is linear in the text.  A pattern is tried only where one of its words occurs, and looks at
no more than a bounded stretch (:data:`_HEAD`) to decide; only what is replaced is read to its
end, and what is replaced is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from flakefighters.records import NamedTuple

__all__ = ["PLACEHOLDER", "redact_named", "template"]

PLACEHOLDER: Final = "<secret>"

#: Where a secret begins and ends in the text.
Span = tuple[int, int]

#: Characters of a value that are looked at before it is known to be a secret.
_HEAD: Final = 64


class _Rule(NamedTuple):
    """One kind of name."""

    #: Plain strings in lower case, one of which begins every match.
    words: tuple[str, ...]
    pattern: str
    #: Tells the secrets of a match.
    secrets: Callable[[re.Match[str]], Iterator[Span]]


def redact_named(text: str) -> str:
    """``text`` with the values that names give away replaced by ``<secret>``."""
    for rule in _RULES:
        text = _replace(text, rule)
    return text


def template(value: str) -> bool:
    """Whether a value is a placeholder for another: ``{user}``, ``%s``, ``$NAME``, ``***``."""
    first, last = value[:1], value[-1:]
    return (
        first == "$"
        or value.startswith("%(")
        or (first == "{" and last == "}")
        or (first == "<" and last == ">")
        or value in ("%s", "...", "…")
        or not value.strip("*")
    )


def _replace(text: str, rule: _Rule) -> str:
    """Try the rule where one of its words occurs, in any case; replace the secrets it tells.

    Case is folded here, because the engine is many times slower when it folds.
    """
    low = text.replace("\u0130", "i").lower()  # the only letter that changes its length
    spots: set[int] = set()
    for word in rule.words:
        at = low.find(word)
        while at >= 0:
            spots.add(at)
            at = low.find(word, at + len(word))
    if not spots:
        return text
    tried = re.compile(rule.pattern)
    out: list[str] = []
    done = 0
    for spot in sorted(spots):
        match = tried.match(text, spot) if spot >= done else None
        for start, end in rule.secrets(match) if match is not None else ():
            out += [text[done:start], PLACEHOLDER]
            done = end
    return "".join(out) + text[done:]


# -- values ----------------------------------------------------------------------------------

_QUOTE: Final = r"""\\{0,3}["']"""
_WORD: Final = r"[A-Za-z_][\w.]*"
_CALL: Final = r"[A-Za-z_][\w.]*[(\[{](?:[^)\]}]*|.*[)\]}])"
_CLOSERS: Final = ")]}.:"


def _rest(match: re.Match[str], group: str, characters: str) -> int:
    """Where a value ends whose first characters a pattern has matched."""
    more = re.compile(characters + "*+").match(match.string, match.end(group))
    return match.end(group) if more is None else more.end()


def _is_word(value: str) -> bool:
    return not _has_digit(value) and re.fullmatch(_WORD, value) is not None


def _random(value: str) -> bool:
    """Whether a value may have been made by chance: long, and not of letters alone."""
    return len(value) >= 8 and (_has_digit(value) or (len(value) >= _HEAD and value.isalnum()))


def _has_digit(value: str) -> bool:
    return re.search("[0-9]", value) is not None


# -- headers ---------------------------------------------------------------------------------

_HEADER: Final = r"""(?xi)
    (?: authorization\\{0,3}["']?[ \t]{0,8}[:=,][ \t]{0,8}(?:[bru]{0,2}\\{0,3}["'])?
        (?P<scheme>(?:bearer|basic|token|digest|apikey|negotiate)[ \t]{1,8})?
      | (?P<bearer>bearer[ \t]{1,8}) )
    (?-i:(?P<value>[^\s"'\\,;<>()]{3,}+))"""


def _authorised(match: re.Match[str]) -> Iterator[Span]:
    value = match["value"]
    # Not "authorization: required", "bearer authentication failed".
    short = len(value) < 20 and (len(value) < 8 or _is_word(value))
    known = match["scheme"] is not None and not (len(value) < 6 and value.isalpha())
    if known or not short:
        yield match.span("value")


# -- cookies ---------------------------------------------------------------------------------

_COOKIE: Final = rf"""(?xi)
    cookies? (?: {_QUOTE}[ \t]{{0,8}}[:,] | [ \t]{{0,8}}(?:=(?!=)|:(?!:)) | (?<=[<-]cookie)[ ] )
    [ \t]{{0,8}} \{{? [bru]{{0,2}}"""
_COOKIE_VALUE: Final = r"""[^\s;,"'\\<>(){}]"""
_COOKIE_PAIR: Final = rf"""(?x)
    [ \t]{{0,8}} (?:{_QUOTE})? (?P<name>[\w.!#$%&*+^`|~-]{{1,64}}+) (?:{_QUOTE})?
    (?: = | (?<=["']):[ ] ) [ \t]{{0,8}} [bru]? (?:{_QUOTE})?
    (?P<value>{_COOKIE_VALUE}{{1,{_HEAD}}}+)"""
_COOKIE_NEXT: Final = rf"""(?:{_QUOTE})?[^;,\n"'\\{{}}]{{0,64}}+[;,]"""
_COOKIE_ATTRIBUTES: Final = frozenset(
    ("comment", "domain", "expires", "max-age", "path", "priority", "samesite", "version")
)
#: Parts of a cookie in a row that hold no secret before the search is given up.
_MOST_PARTS: Final = 6


def _cookies(match: re.Match[str]) -> Iterator[Span]:
    """The values of ``name=value; name=value``; names and attributes stay."""
    text, at, left = match.string, match.end(), _MOST_PARTS
    while left:
        left -= 1
        pair = re.compile(_COOKIE_PAIR).match(text, at)
        if pair is not None:
            at = pair.end()
            attribute = pair["name"].lower() in _COOKIE_ATTRIBUTES
            if not attribute and len(pair["value"]) >= 4 and not template(pair["value"]):
                at = _rest(pair, "value", _COOKIE_VALUE)
                yield pair.start("value"), at
                left = _MOST_PARTS
        elif at == match.end():
            return  # no cookie at all
        following = re.compile(_COOKIE_NEXT).match(text, at)
        if following is None:
            return
        at = following.end()


# -- names and what is assigned to them ------------------------------------------------------

_KEY_KINDS: Final = (
    *("api", "access", "account", "auth", "encryption", "master", "private", "secret", "shared"),
    *("signing", "storage", "subscription"),
)
_KEY_BEFORE: Final = "|".join(
    f"(?<={kind}{separator})" for kind in _KEY_KINDS for separator in ("", "_", "-")
)
_BARE: Final = r"""(?:[^\s"'`,;&<>|\\]|\\(?![nrt"'\\]))"""
# The end of a name, an operator, and a value.  "==" compares, "::" is part of a node id.
_ASSIGNED: Final = rf"""(?xi)
    (?: (?P<password> passwords? | passwd | passphrase | passcode | (?<=[_-])pass | (?<=ssh)pass
                    | pwd | psk | secret | credentials? )
      | (?P<token> token ) | (?:{_KEY_BEFORE})key )
    (?![A-Za-z0-9_-]) (?P<key>{_QUOTE})? (?P<gap>[ \t]{{0,8}})
    (?P<operator> => | := | =(?!=) | :(?!:) | , | (?<=[ \t])(?![ \t]) ) (?P<space>[ \t]{{0,8}})
    (?: [bru]{{0,2}} \\{{0,3}}(?P<quote>["'])
        (?-i:(?P<quoted>(?:(?!(?P=quote))[^\n\\]|\\(?!["']))++))
      | (?-i:(?P<bare>(?:[^\s"'`,;&<>|\\]{{1,{_HEAD // 4}}}+|\\(?![nrt"'\\])){{1,4}}+)) )"""
_AFTER_WORD: Final = r"""[ \n&;"'A-Za-z]|\Z"""
#: The characters of an option's name.
_OPTION_NAME: Final = "-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#: What follows an option's name in a sentence about it.
_PROSE: Final = frozenset(
    (
        *("and", "are", "argument", "can", "cannot", "expected", "flag", "for", "from", "given"),
        *("has", "if", "in", "is", "may", "missing", "must", "needs", "not", "option", "or"),
        *("required", "requires", "should", "takes", "to", "value", "was", "when", "with"),
    )
)


def _assigned(match: re.Match[str]) -> Iterator[Span]:
    """Where the secret in an assignment is, if what is assigned looks like one."""
    tight = match["operator"] == "=" and not match["gap"] and not match["space"]
    if match["operator"] in ("", ",") or (tight and _name(match).startswith("-")):
        span = _option(match)
    elif tight and match["bare"] is not None and _name(match).isupper():
        span = _variable(match)
    elif match["quoted"] is not None:
        span = _quoted(match)
    else:
        span = _bare(match)
    if span is not None:
        yield span


def _name(match: re.Match[str]) -> str:
    """The whole name of an option or a variable, of which the pattern knows the end."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    word = match["password"] or match["token"] or "key"
    start = before[len(before.rstrip(_OPTION_NAME)) :]
    return start + match.string[match.start() : match.start() + len(word)]


def _variable(match: re.Match[str]) -> Span | None:
    """``PGPASSWORD=x`` before a command: a secret however short it is."""
    value = match["bare"].rstrip(_CLOSERS)
    if not value or template(value) or value.isupper() or re.fullmatch(_CALL, value):
        return None
    return match.start("bare"), _rest(match, "bare", _BARE)


def _option(match: re.Match[str]) -> Span | None:
    """``--password X`` in a command, ``"--password", "X"`` in a list of arguments."""
    listed = match["operator"] == ","
    value = match["quoted"] or match["bare"] or ""
    if listed != (match["key"] is not None):
        return None
    if match["operator"] == "" and value.startswith("-"):
        return None  # the next option
    if not _name(match).startswith("-") or template(value):
        return None
    if match["quoted"] is not None:
        return match.span("quoted")
    plain = value.rstrip(_CLOSERS)
    if listed or plain.lower() in _PROSE or (plain.isupper() and _is_word(plain)):
        return None  # a sentence; "--password PASSWORD" in a usage message
    return match.start("bare"), _rest(match, "bare", _BARE)


def _is_assigned(match: re.Match[str], word: str) -> bool:
    """As in ``password=letmein``; other words are variables or annotations in code."""
    tight = match["operator"] == "=" and not match["space"] and word.isalpha()
    end = match.start("bare") + len(word)
    return tight and re.compile(_AFTER_WORD).match(match.string, end) is not None


def _bare(match: re.Match[str]) -> Span | None:
    password = match["password"] is not None
    start = match.start("bare")
    value = match["bare"] if "(" in match["bare"] else match["bare"].rstrip(_CLOSERS)
    end = start + len(value)
    if match["key"] is not None and password and value.isdigit():
        return start, end  # {"password": 1234}
    if len(value) < 6 or not (password or _random(value)):
        return None
    if template(value) or re.fullmatch(_CALL, value):
        return None  # derive(...) and the like
    if password and _is_word(value) and not _is_assigned(match, value):
        return None
    whole = _rest(match, "bare", _BARE)
    if whole > match.end("bare"):  # only its beginning has been read so far
        end = start + len(match.string[start:whole].rstrip(_CLOSERS))
    return start, end


def _quoted(match: re.Match[str]) -> Span | None:
    value = match["quoted"]
    if template(value) or not value.strip("*.x… "):
        return None  # a template, a mask
    if match["key"] is not None or match["operator"] + match["gap"] + match["space"] == "=":
        secret = _in_a_mapping(match, value)  # or in what repr() shows of an object
    elif match["password"] is not None:
        secret = len(value) >= 6
    else:
        secret = len(value) >= 8 and not _is_word(value) and " " not in value
    return match.span("quoted") if secret else None


def _in_a_mapping(match: re.Match[str], value: str) -> bool:
    """``{"password": "pw"}``: a secret however short it is."""
    if match["password"] is not None:
        return True
    if " " in value or not any(map(str.isalnum, value)):
        return False
    # The names of tokens in the other sense: {"token": "IDENTIFIER"}.
    return match["token"] is None or not (_is_word(value) and ("." in value or value[0].isupper()))


# -- signatures in URLs ----------------------------------------------------------------------

_SIGNATURE: Final = r"(?i)(?<=[?&])sig=(?P<value>[\w%+/=.~-]{8,}+)"


def _signed(match: re.Match[str]) -> Iterator[Span]:
    if _has_digit(match["value"]):
        yield match.span("value")


# -- options of commands ---------------------------------------------------------------------

_SEPARATOR: Final = rf"""(?:{_QUOTE}[ ]{{0,8}},[ ]{{0,8}}(?={_QUOTE})|[ \t]{{1,8}}|=)"""
_ATTACHED: Final = rf"""(?:{_SEPARATOR})?"""
#: Commands that take a password by a short option: (command, option, what may stand between).
_COMMANDS: Final = (
    ("sshpass", "-p", _ATTACHED),
    ("mysql", "-p", ""),  # with a blank before it, the next word is the name of a database
    ("mariadb", "-p", ""),
    ("redis-cli", "-a", _SEPARATOR),
    ("ldap", "-w", _SEPARATOR),
    ("docker login", "-p", _SEPARATOR),
    ("podman login", "-p", _SEPARATOR),
)
_ARGUMENT: Final = r"""[^\s"'`,;&<>|\\]"""
_COMMAND: Final = "|".join(
    rf"""{command.replace(" ", "[ ]")}[^\n]{{1,64}}?(?<=[\s"']){option}{between}"""
    for command, option, between in _COMMANDS
)
_COMMAND_VALUE: Final = rf"""(?x)(?:{_COMMAND})
    (?: \\{{0,3}}(?P<quote>["']) (?P<quoted>(?:(?!(?P=quote))[^\n\\]){{1,{_HEAD}}})
      | (?P<bare>{_ARGUMENT}{{1,{_HEAD}}}+) )"""

_USER: Final = rf"""(?x)
    (?<![\w-]) (?: -u | --user | --proxy-user | --auth ) {_ATTACHED} (?:\\{{0,3}}(?P<quote>["']))?
    (?P<user>[^\s:"'\\/,;]{{1,64}}+):
    (?P<value>(?(quote)(?:(?!(?P=quote))[^\n\\])|{_ARGUMENT}){{1,{_HEAD}}}+)"""


def _by_command(match: re.Match[str]) -> Iterator[Span]:
    if match["quoted"] is not None:
        group, characters = "quoted", rf"[^\n\\{match['quote']}]"
    else:
        group, characters = "bare", _ARGUMENT
    if not template(match[group]) and not match[group].startswith("-"):
        yield match.start(group), _rest(match, group, characters)


def _by_user(match: re.Match[str]) -> Iterator[Span]:
    """``curl -u user:password``; not ``docker run -u 1000:1000``, ``-u C:/folder``."""
    user, value = match["user"], match["value"]
    if value == user or user.isdigit() or value.startswith(("/", "\\")) or template(value):
        return
    characters = _ARGUMENT if match["quote"] is None else rf"[^\n\\{match['quote']}]"
    yield match.start("value"), _rest(match, "value", characters)


_RULES: Final = (
    _Rule(("authorization", "bearer "), _HEADER, _authorised),
    _Rule(("cookie",), _COOKIE, _cookies),
    _Rule(
        ("pass", "psk", "pwd", "secret", "token", "credential", "key"),
        _ASSIGNED,
        _assigned,
    ),
    _Rule(("sig=",), _SIGNATURE, _signed),
    _Rule(tuple(command for command, _, _ in _COMMANDS), _COMMAND_VALUE, _by_command),
    _Rule(("-u", "--user", "--proxy-user", "--auth"), _USER, _by_user),
)
