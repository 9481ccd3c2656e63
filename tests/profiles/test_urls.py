from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flakefighters.profiles import urls
from flakefighters.profiles.urls import UrlError, endpoint, is_local, matches, parse
from tests.profiles.world import TEAM, World


@pytest.mark.parametrize(
    ("text", "canonical", "display"),
    [
        ("sqlite:///a.db", "sqlite:///a.db", "sqlite:///a.db"),
        ("sqlite:////abs/a.db", "sqlite:////abs/a.db", "sqlite:////abs/a.db"),
        ("postgres://u:p@H.example/d", "postgresql://u@h.example/d", "postgresql://h.example/d"),
        (
            "postgresql+psycopg2://a%40b:p@h:6543/d?sslmode=require",
            "postgresql://a%40b@h:6543/d?sslmode=require",
            "postgresql://h:6543/d",
        ),
        ("postgresql://u@[::1]:5433/d", "postgresql://u@[::1]:5433/d", "postgresql://[::1]:5433/d"),
        (
            "postgresql://u@%2Ftmp/d",
            "postgresql://u@%2Ftmp/d",
            "postgresql:///d (socket in /tmp)",
        ),
        ("  postgresql://u@h:5432/d ", "postgresql://u@h:5432/d", "postgresql://h/d"),
        ("postgresql://", "postgresql://", "postgresql:///"),
    ],
)
def test_parse(text: str, canonical: str, display: str) -> None:
    url = parse(text)
    assert str(url) == canonical
    assert url.display() == display
    assert parse(str(url)) == url.without_password()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("flakes.db", "is not a database URL"),
        ("", "is not a database URL"),
        ("mysql://u@h/d", "is neither sqlite:///… nor postgresql://…, the two that are supported"),
        ("mariadb+pymysql://u@h/d", "is neither"),
        ("mssql+pyodbc://u@h/d", "is neither"),
        ("mongodb+srv://u@h/d", "is neither"),
        ("postgresql+psycopg://u@h/d", "names a driver"),
        ("postgresql:/u@h/d", "needs two slashes"),
        ("sqlite://a.db", "needs three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///a.db?mode=ro", "has parameters"),
        ("postgresql://u@h1,h2/d", "names several hosts"),
        ("postgresql://u@h:0/d", "port"),
        ("postgresql://u@h:99999/d", "port"),
        ("postgresql://u@h:٣/d", "port"),
        ("postgresql://u@[h]/d", "IPv6"),
        ("postgresql://u@[::1/d", "brackets"),
        ("postgresql://u@h h/d", "host name"),
        ("postgresql://u@-h/d", "host name"),
        ("postgresql://u@h/d/e", "holds more than a name"),
        ("postgresql://u@h/d%00", "control characters"),
        ("postgresql://u@h/d%1b[2J", "control characters"),
        ("postgresql://u@h/d\u202e", "control characters"),
        ("postgresql://u@h/d#x", "holds a #"),
        ("postgresql://u@h/host%3Devil", "= in its name"),
        ("postgresql://u@h/d?host=evil", "has the parameter host"),
        ("postgresql://u@h/d?hostaddr=1.2.3.4", "has the parameter hostaddr"),
        ("postgresql://u@h/d?service=x", "has the parameter service"),
        ("postgresql://u@h/d?passfile=/x", "has the parameter passfile"),
        ("postgresql://u@h/d?options=-csearch_path=x", "has the parameter options"),
        ("postgresql://u@h/d?sslkey=/x", "has the parameter sslkey"),
        ("postgresql://u@h/d?Host=evil", "has an unknown parameter"),
        ("postgresql://u@h/d?sslmode", "malformed parameters"),
        ("postgresql://u@h/d?sslmode=off", "unknown sslmode"),
        ("postgresql://u@h/d?sslmode=require&sslmode=disable", "twice"),
        ("postgresql://u@h/d?connect_timeout=soon", "connect_timeout"),
    ],
)
def test_refused(text: str, complaint: str) -> None:
    with pytest.raises(UrlError, match=complaint):
        parse(text)


@given(
    st.text(alphabet="abc/@:?#[]%&= ", min_size=1, max_size=6),
    st.text(alphabet="/@:?#&=", max_size=4),
)
def test_no_piece_of_an_unescaped_password_is_shown(before: str, after: str) -> None:
    """Whatever a password does to the URL round it, neither error nor spelling repeats it."""
    text = f"postgresql://user:{before}SECRET{after}@db.example.org/flakes"
    try:
        url = parse(text)
        shown = str(url) + url.display() + repr(url) + endpoint(url)
    except UrlError as error:
        shown = str(error)
    assert "SECRET" not in shown


def test_local_hosts() -> None:
    assert [h for h in ("localhost", "127.0.0.1", "::1", "/tmp", None) if not is_local(h)] == []
    assert not any(map(is_local, ("localhost.evil", "127.0.0.1.evil", "8.8.8.8", "::2", "0.0.0.0")))


def test_endpoint_and_matches() -> None:
    url = parse("postgresql://u@[::1]/d")
    assert endpoint(url) == "u@[::1]:5432/d"
    assert matches(endpoint(url), url)
    assert not matches("u@[::2]:5432/d", url)
    alone = parse("postgresql://u@h")
    assert endpoint(alone) == "u@h:5432/u"
    assert matches("u@h:5432/u", alone)


@pytest.mark.usefixtures("no_keyring")
def test_each_url_is_parsed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    own = urls.parse

    def counting(text: str) -> urls.DatabaseUrl:
        parsed.append(text)
        return own(text)

    monkeypatch.setattr(urls, "parse", counting)
    typed = "postgresql://me:typed-s3cret@db.example.org/flakes"
    found = world.project(TEAM).resolve(option_url=typed)
    assert found.target.password is not None
    assert found.target.host == "db.example.org"
    assert parsed.count(typed) == 1
    assert len(parsed) == len(set(parsed)) + 1  # local is built in, and stands in the file as well


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u@%2Fcloudsql%2Fp:eu-west1:i/d",
        "postgresql://u@%2fcloudsql%2fp%3Aeu-west1%3Ai/d",
        "postgresql://u@/d?host=/cloudsql/p:eu-west1:i",
        "postgresql://u@/d?host=%2Fcloudsql%2Fp%3Aeu-west1%3Ai",
    ],
)
def test_folders_of_sockets_may_hold_colons(text: str) -> None:
    url = parse(text)
    assert (url.host, url.port) == ("/cloudsql/p:eu-west1:i", None)
    assert parse(str(url)) == url
    assert matches(endpoint(url), url)
    assert parse("postgresql://u@%2Ftmp:6543/d").port == 6543


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("pgbouncer=true", "leave out pgbouncer after"),
        ("pgbouncer=true&connection_limit=1", "leave out pgbouncer, connection_limit after"),
        ("sslmode=require&supa=base-pooler.x", "leave out supa after"),
        ("options=endpoint%3Dep-x", "leave out options after"),
        ("sslmode=require&hunter2=1", "leave out number 2 after"),
        ("pgbouncer=true&hunter2=1", "leave out pgbouncer and number 2 after"),
    ],
)
def test_says_which_parameters_to_leave_out(query: str, named: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse(f"postgresql://u@h/d?{query}")
    assert named in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["postgresql://u:hun#ter@h/d", "postgresql://u:hun/ter@h/d", "postgresql://u:hun?ter@h"]
)
def test_says_how_to_write_a_password(text: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse(text)
    assert "%23 (#)" in str(caught.value)
    assert "hun" not in str(caught.value)
    assert "ter@" not in str(caught.value)
