"""Secrets do not survive; innocent text does."""

from __future__ import annotations

import base64
import json
import random
import re
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.capture import redact_names, redact_patterns
from flakefighters.capture.normalise import normalised
from flakefighters.capture.redact import PLACEHOLDER, Redactor, secret_name

NOTHING = Redactor({})

# Built from pieces, so that no scanner takes this file for a leak.
A32 = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6"
HEX = "0123456789abcdef0123456789abcdef"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + ".dozjgNryP4J3jVmNHl0w"

TOKENS = {
    "github classic": "ghp_" + A32 + "q7R8",
    "github oauth": "gho_" + A32 + "q7R8",
    "github server": "ghs_" + A32 + "q7R8",
    "github fine": "github_pat_" + "11ABCDEFG0" + A32 + "_" + A32,
    "gitlab": "glpat-" + "x_Y-zabcdefghij12345",
    "slack": "xoxb-" + "123456789012-1234567890123-" + A32[:24],
    "slack hook": "hooks.slack.com/services/" + "T00000000/B00000000/" + A32[:24],
    "aws id": "AKIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + "SyA-1234567890abcdefghijklmnopqrstu",
    "stripe": "sk_live_" + A32[:24],
    "npm": "npm_" + A32 + "q7R8",
    "pypi": "pypi-" + "AgEIcHlwaS5vcmc" + A32 * 3,
    "jwt": JWT,
    "openai": "sk-" + A32 + A32[:16],
    "openai project": "sk-" + "proj-" + A32 + "_-" + A32,
    "anthropic": "sk-" + "ant-api03-" + A32 + "-" + A32,
    "supabase": "sbp_" + HEX + "01234567",
    "neon": "npg_" + "AbCdEf123456",
    "azure": "abc8Q~" + "x_Y.zabcdefghijklmnopqrstuvwxyz12",
    "sendgrid": "SG." + A32[:22] + "." + A32 + A32[:11],
    "hugging face": "hf_" + A32 + "qR",
    "digital ocean": "dop_v1_" + HEX + HEX,
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    "frame",
    ["{}", "E   got {} here", "'{}'", r"line\n{}\nline", "x=%3D{}&y=1", "({})", '{{"a": "{}"}}'],
)
def test_tokens_by_shape(token: str, frame: str) -> None:
    shown = NOTHING(frame.format(token))
    assert PLACEHOLDER in shown
    assert token[8:] not in shown
    assert shown == frame.format(PLACEHOLDER)


ASSIGNED = [
    ("password=hunter2!", "hunter2!"),
    ("password=letmein", "letmein"),
    ("DB_PASSWORD: hunter22", "hunter22"),
    ("PGPASSWORD=p(ss)w0rd", "p(ss)w0rd"),
    ("user=bob password='s3cr3t word' host=x", "s3cr3t word"),
    ('api_key: "abcd1234efgh"', "abcd1234efgh"),
    ('{"apiKey": "abcd1234efgh"}', "abcd1234efgh"),
    ('{\\"client_secret\\": \\"it-is-quite-long\\"}', "it-is-quite-long"),
    ("{'x-api-key': 'abcd1234efgh'}", "abcd1234efgh"),
    ("X-Auth-Token: 0a1b2c3d4e5f", "0a1b2c3d4e5f"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    ("AccountName=x;AccountKey=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA==;Endpoint", "Zm9vYmFyYmF6"),
    ("https://x.blob/y?sv=2020&sig=abc123DEF456%3D&se=1", "abc123DEF456"),
    ("connect(user='bob', password=b'hunter22')", "hunter22"),
    ("csrf_token=9f8e7d6c5b4a", "9f8e7d6c5b4a"),
    ("Authorization: Bearer abcdef", "abcdef"),
    ("{'Authorization': 'Basic Ym9iOmh1bnRlcjI='}", "Ym9iOmh1bnRlcjI="),
    ("headers: authorization=Token 0123456789", "0123456789"),
    ("curl -H 'Bearer 0a1b2c3d4e5f6'", "0a1b2c3d4e5f6"),
    ("postgresql://bob:hunter2@db.example.org/x", "hunter2"),
    ("postgres://bob:hun/ter@2@db.example.org/x", "hun/ter"),
    ("redis://:pw@localhost:6379", ":pw@"),
    ("amqp://u:p%40ss@h", "p%40ss"),
    ("https://0123456789abcdef0123456789abcdef@sentry.io/1", HEX),
    ("db_pass=hunter22", "hunter22"),
    ("passphrase := 'correct horse'", "correct horse"),
    # Options of commands, in a shell's line and in a list of arguments.
    ("deploy --password hunter2 shop", "hunter2"),
    ("deploy --auth-token abcdef --region x", "abcdef"),
    ("deploy --password 'correct horse'", "correct horse"),
    ("['deploy', '--password', 'letmein', 'shop']", "letmein"),
    ('["deploy", "--api-key", "k1"]', "k1"),
    ("curl -u bob:hunter2 https://x", "hunter2"),
    ("curl -ubob:hunter2 https://x", "hunter2"),
    ("curl --user 'bob:correct horse' https://x", "correct horse"),
    ("['curl', '-u', 'bob:hunter2', 'https://x']", "hunter2"),
    ("sshpass -p hunter2 ssh bob@host", "hunter2"),
    ("sshpass -phunter2 ssh bob@host", "hunter2"),
    ("sshpass -p 'correct horse' ssh bob@host", "correct horse"),
    ("['sshpass', '-p', 'hunter2', 'ssh']", "hunter2"),
    ("mysql -u root -phunter2 shop", "hunter2"),
    ("redis-cli -h x -a hunter2 ping", "hunter2"),
    ("docker login -u bob -p hunter2 registry", "hunter2"),
    # Cookies, in the spellings of headers, mappings and their own classes.
    ("Cookie: session=abcdef; csrftoken=x", "abcdef"),
    ("Cookie: lang=en; theme=dark; session=abcdef", "abcdef"),
    ("Set-Cookie: a=b; Path=/; HttpOnly; Max-Age=3600, sid=0a1b2c", "0a1b2c"),
    ("{'Cookie': 'session=abcdef'}", "abcdef"),
    ('{"set-cookie": "sid=abcdef; Path=/"}', "abcdef"),
    ("[('Cookie', 'session=abcdef')]", "abcdef"),
    ("get(url, cookies={'sid': 'abcdef'})", "abcdef"),
    ("curl --cookie sid=abcdef https://x", "abcdef"),
    ("<Cookie sid=abcdef for example.org/>", "abcdef"),
    ("<SimpleCookie: sid='abcdef'>", "abcdef"),
    # Values in mappings, however short.
    ("{'password': 'pw'}", "'pw'"),
    ('{"password": 4711, "x": 1}', "4711"),
    ('{\\"passcode\\": \\"pw\\"}', 'pw\\"'),
    ("{'api_key': 'k1'}", "k1"),
    ("{'token': 'abc', 'x': 1}", "abc"),
    ('{"access_token":"abc"}', "abc"),
    # The same in options, in the environment of a command, and in what repr() shows.
    ("['cmd', '--password=pw']", "pw'"),
    ("cmd --auth-token=abc --x", "abc"),
    ("PGPASSWORD=pw psql -h db", "pw "),
    ("SSHPASS=hunter2x sshpass -e ssh bob@host", "hunter2x"),
    ("Config(host='db', password='pw', api_key='k1')", "'pw'"),
    ("Config(host='db', api_key='k1')", "k1"),
    ("Authorization: Bearer ab12", "ab12"),
    ("http --auth bob:pw1 https://x", "pw1"),
    # Read to their ends, however long.
    ("token=" + "a1" * 5_000 + "zz", "zz"),
    ("Authorization: Bearer " + "a1" * 5_000 + "zz", "zz"),
    ("password='" + "a b" * 5_000 + "zz'", "zz"),
    ("--password " + "ab-" * 5_000 + "zz", "zz"),
    ("https://x/y?sig=" + "a1" * 5_000 + "zz", "zz"),
]


@pytest.mark.parametrize(("text", "secret"), ASSIGNED)
def test_assignments_headers_and_urls(text: str, secret: str) -> None:
    shown = NOTHING(text)
    assert secret not in shown
    assert PLACEHOLDER in shown
    assert NOTHING(shown) == shown


def test_what_is_around_stays() -> None:
    assert NOTHING("x postgresql://bob:hunter2@db/x y") == "x postgresql://bob:<secret>@db/x y"
    assert NOTHING('a api_key: "abcd1234efgh", b') == 'a api_key: "<secret>", b'
    assert NOTHING("f(password=hunter22), g") == "f(password=<secret>), g"
    assert NOTHING("Authorization: Bearer abcdefgh\nHost: x") == (
        "Authorization: Bearer <secret>\nHost: x"
    )


INNOCENT = [
    "0123456789abcdef0123456789abcdef01234567",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "commit 5d41402abc4b2a76b9719d911017c592a1b2c3d4",
    "UUID('f47ac10b-58cc-4372-a567-0e02b2c3d479')",
    "assert b'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk' == b''",
    "primary_key=12, token_count=5, key='user:12:abc', keys=['a', 'b'], foreign_key=True",
    "cache_key = 'user:12:abcdef0123456789'",
    "sort_key: created_at2024, partition_key=abcdefgh1234, monkey=banana12345",
    "assert token == 'Token.Name.Builtin'",
    "token=Token(type='NUMBER', value='12')",
    "token='IDENTIFIER'",
    "def login(password: str, token: Optional[str] = None) -> None:",
    "client.login(user=user, password=password)",
    "client.login(user=user, password=settings.DB_PASSWORD)",
    "password=None, secret=True",
    "password = get_password(user)",
    "PASSWORD = os.environ['PASSWORD']",
    "password=os.environ['APP_PASSWORD_2']",
    "Invalid password: must be longer than 8 characters",
    "E     - password: required",
    "https://user@host/path",
    "git+ssh://git@github.com:acme/shop.git",
    "ssh://git@github.com/acme/shop",
    "http://localhost:8080/a@b",
    "http://localhost:8080?x=a@b",
    "see http://127.0.0.1:8000, mail me@example.org",
    "docker://alpine:3.18@sha256:abcdef",
    "f'postgresql://{user}:{password}@{host}/x'",
    "postgresql://user:***@host/x",
    "'%s://%s:%s@%s' % parts",
    "sk-learn-is-not-a-token",
    "npm_config_cache",
    "pypi-attestations is a package",
    "key-value, hf_hub, SG.x, eyJ",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBg\n-----END PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIBIjANBg\n-----END CERTIFICATE-----",
    "assert authorization: required",
    "bearer authentication failed",
    "tests/test_auth.py::test_password::test_token[secret]",
    "E       AssertionError: assert 'abcdef' == 'abcdeg'\nE         - abcdeg\nE         + abcdef",
    "<object at 0x7f3a2b1c0d>, 1 passed, 2 failed in 0.12s",
    "compass=north1234567",
    "secrets: 12 found; tokens: 100000000",
    "error: --password is required; --token and --secret may not be combined",
    "usage: deploy [--password PASSWORD] [--token TOKEN] --password --verbose",
    "argument --token: expected one argument",
    "docker run -u 1000:1000 x; python -u script.py; -u C:/x; git push -u origin",
    "mysql -u root -p shop; sshpass: command not found",
    "cookie = get_cookie(request, name='x')",
    "assert cookie == 'name=value'",
    "{'token': 'IDENTIFIER'} {'token': '+'} {'token': 'Token.Name'}",
    "fields = ['password', 'email_address']",
]


@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_survives(text: str) -> None:
    assert NOTHING(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "DB_PASS",
        "MYSQL_PWD",
        "SENTRY_DSN",
        "API_KEY",
        "apikey",
        "FLAKEFIGHTERS_PROFILES__CI__PASSWORD",
        "npm_config__authToken",
        "HTTP_AUTH",
        "SSH_PRIVATE_KEY",
        "GOOGLE_CREDENTIALS",
        "TWINE_PASSWORD",
        "CODECOV_TOKEN",
        "DJANGO_SECRET_KEY",
        "X_COOKIE",
    ],
)
def test_secret_names(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "PWD",
        "OLDPWD",
        "SSH_AUTH_SOCK",
        "MONKEY",
        "KEYBOARD_LAYOUT",
        "TOKENIZERS_PARALLELISM",
        "COMPASS",
        "PASSWORD_FILE",
        "FLAKEFIGHTERS_PROFILES__CI__PASSWORD_HOST",
        "XAUTHORITY",
        "AUTHOR_NAME",
        "_",
        "''",
    ],
)
def test_innocent_names(name: str) -> None:
    assert not secret_name(name)


AWKWARD = "p@ss'w\"rd/é+ <x>&%\\y=\t1"


@pytest.mark.parametrize(
    "spell",
    [
        str,
        repr,
        ascii,
        json.dumps,
        lambda v: json.dumps(v, ensure_ascii=False),
        lambda v: repr(json.dumps(v)),
        lambda v: repr(v.encode()),
        urllib.parse.quote,
        urllib.parse.quote_plus,
        lambda v: urllib.parse.quote(v, safe=""),
        lambda v: re.sub("%..", lambda m: m[0].lower(), urllib.parse.quote(v, safe="")),
        lambda v: base64.b64encode(v.encode()).decode(),
        lambda v: base64.b64encode(b"bob:" + v.encode()).decode(),
        lambda v: base64.b64encode(b"alice:" + v.encode() + b"\n").decode(),
        lambda v: base64.urlsafe_b64encode(b"x:" + v.encode()).decode(),
    ],
)
@pytest.mark.parametrize(
    "value", [AWKWARD, "correct-horse-battery", "wJalrXUtnFEMI/K7MDENG+bPxRf", "???>>>~~~ooo???"]
)
def test_values_in_every_spelling(spell, value: str) -> None:  # type: ignore[no-untyped-def]
    shown = Redactor({"APP_PASSWORD": value})(f"E   got {spell(value)} at last")
    assert PLACEHOLDER in shown
    for start in range(len(value) - 7):
        assert value[start : start + 8] not in shown
    encoded = base64.b64encode(value.encode()).decode()
    assert encoded[4:14] not in shown


def test_values_are_kept_where_they_are_no_secret() -> None:
    environ = {
        "SHORT_TOKEN": "elevenchars",
        "SSH_AUTH_SOCK": "/tmp/ssh-XXXXabcdef/agent.12",
        "GOOGLE_CREDENTIALS": "/home/bob/key.json",
        "MASKED_TOKEN": "************",
        "AUTH_SERVER": "https://auth.example.org/login",
        "EDITOR": "a-very-long-editor-name",
    }
    text = " ".join(environ.values())
    assert Redactor(environ)(text) == text


def test_passwords_in_addresses_are_known_without_the_address() -> None:
    redactor = Redactor({"DATABASE_URL": "postgresql://bob:correct-horse@db/x"})
    assert redactor("login with correct-horse failed") == "login with <secret> failed"


def test_a_secret_that_pytest_cut_short() -> None:
    value = A32 + "ZZ" + A32[::-1]
    redactor = Redactor({"APP_TOKEN": value})
    assert redactor(f"x '{value[:20]}...{value[-18:]}' y") == "x '<secret>...<secret>' y"


def test_lines_of_a_key_behind_a_prefix() -> None:
    key = "-----BEGIN THING-----\n" + A32 + "\n" + A32[::-1] + "\n-----END THING-----"
    shown = Redactor({"SIGNING_KEY": key})("E   " + key.replace("\n", "\nE   "))
    assert A32 not in shown
    assert A32[::-1] not in shown


@pytest.mark.parametrize("kind", ["", "RSA ", "OPENSSH ", "EC ", "ENCRYPTED "])
def test_private_keys(kind: str) -> None:
    key = f"-----BEGIN {kind}PRIVATE KEY-----\n{A32}\n{A32}\n-----END {kind}PRIVATE KEY-----"
    assert NOTHING(f"a {key} b") == "a <secret> b"
    assert NOTHING(repr(key)) == "'<secret>'"
    assert A32 not in NOTHING(f"a {key[:90]}\n\nrest")
    assert NOTHING(f"a {key[:90]}\n\nrest").endswith("\n\nrest")


def test_values_known_by_other_ways() -> None:
    redactor = Redactor({}, values=["pw-1234", "postgres", ""])
    assert redactor("pw-1234 postgres") == "<secret> postgres"


def test_it_does_not_show_what_it_knows() -> None:
    assert "correct" not in repr(Redactor({"A_TOKEN": "correct-horse-battery"}))


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    redactor = Redactor({"A_TOKEN": text, "B_SECRET": text * 3})
    shown = redactor(text)
    assert isinstance(shown, str)
    assert NOTHING(NOTHING(text)) == NOTHING(text)


@given(st.lists(st.sampled_from([*(t for t, _ in ASSIGNED), *TOKENS.values(), *INNOCENT, "\n"])))
def test_twice_is_once(parts: list[str]) -> None:
    once = NOTHING("\n".join(parts))  # two commands on one line are nobody's
    assert NOTHING(once) == once


def test_case_folding_keeps_places() -> None:
    # Characters whose lower case is longer would shift what is replaced.
    every = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000)
    assert len(every.replace("\u0130", "i").lower()) == len(every)
    assert NOTHING("\u0130" * 9 + " password=hunter2!") == "\u0130" * 9 + " password=<secret>"


def test_attributes_of_cookies_stay() -> None:
    shown = NOTHING(
        "Set-Cookie: sid=abcdef; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 07:28:00 GMT"
    )
    assert shown == (
        "Set-Cookie: sid=<secret>; Path=/; HttpOnly; Expires=Wed, 21 Oct 2026 07:28:00 GMT"
    )


#: Characters of a text whose time is taken.
SIZE = 200_000
_random = random.Random(7)
TEXTS = {
    "prose": "the quick brown fox said: nothing, really. ",
    "traceback": "E       AssertionError: assert {'a': 1} == {'a': 2} key token\n",
    "base64": base64.b64encode(_random.randbytes(SIZE * 3 // 4)).decode(),
    "one letter": "a",
    "schemes": "://",
    "users": "://a:",
    "users and signs": "://a:b@",
    "signs": "@://a:",
    "jwt heads": "eyJ",
    "jwt dashes": "-eyJaaaaaaaa",
    "jwt dots": "eyJaaaaaaaa.",
    "azure": "a0Q~aaaaaaaa",
    "pem": "-----BEGIN PRIVATE KEY-----",
    "pem ends": "-----BEGIN PRIVATE KEY-----a-----END ",
    "attributes": "cookie: path=/; ",
    "cookies in cookies": "cookie: x=;a;",
    "many prefixes": "sk-ghp_glpat-SG.",
    "carriage returns": "\r",
    "drawn trees": "| ",
    "escape sequences": "\x1b[",
    "slashes": "/",
}
#: What may stand behind a name and tempt a pattern to read on; and be read again.
BEHIND = ("=", ": ", "='", "=a\\", "=$", "=a(", " ", " -p ")
NAMES = sorted({word for rule in redact_names._RULES for word in rule.words} | {"?sig", "--user"})


def seconds(text: str) -> float:
    """CPU time of redacting and normalising a text."""
    started = time.thread_time()
    normalised(REDACTOR(text), "/base/folder")
    return time.thread_time() - started


REDACTOR = Redactor({f"T{n}_TOKEN": f"{_random.getrandbits(128):032x}" for n in range(10)})


@pytest.fixture(scope="module")
def limit() -> float:
    """A second for a megabyte; more where a machine is so busy that even prose takes long."""
    text = TEXTS["prose"] * (SIZE // len(TEXTS["prose"]))
    seconds(text)
    return max(1.0, 12 * seconds(text) * 1_000_000 / SIZE) / 1_000_000


def in_time(text: str, limit: float) -> bool:
    return any(seconds(text) < limit * len(text) for _ in range(3))


@pytest.mark.parametrize("unit", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("end", ["", "x\r\n@"])
def test_time_is_linear(unit: str, end: str, limit: float) -> None:
    assert in_time(unit * (SIZE // len(unit)) + end, limit)


@pytest.mark.parametrize("prefix", redact_patterns._TOKENS)
def test_time_is_linear_for_every_token(prefix: str, limit: float) -> None:
    """Begun again and again, within what may follow it, and never quite there."""
    units = (prefix, f"-{prefix}", f" {prefix}", f"%3D{prefix}", f"{prefix}aaaaaaaaaaaa.")
    assert in_time("".join(unit * (SIZE // 5 // len(unit)) for unit in units), limit)


@pytest.mark.parametrize("name", NAMES)
def test_time_is_linear_for_every_name(name: str, limit: float) -> None:
    """Each name in front of itself, joined by what makes a pattern read on."""
    units = [before + name + behind for before in ("", "--") for behind in BEHIND]
    # A twentieth of the size shows which is the worst; that one is tried at the whole size.
    worst = max(units, key=lambda unit: seconds(unit * (SIZE // 20 // len(unit))))
    assert in_time(worst * (SIZE // len(worst)), limit)
