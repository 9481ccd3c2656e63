"""The command ``check``: settings, SQLite files, networks and TLS; servers are in a file apart."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from flakefighters.checks import Budget, network, tls
from flakefighters.checks.packages import Installed, clashes
from flakefighters.history.sqlite import SqliteDatabase
from flakefighters.model import Target
from tests.cli.conftest import Command, Said, Shop
from tests.cli.tls_endpoint import Certificate, endpoint, make_certificate


def statuses(said: Said) -> dict[str, str]:
    """The worst of each step."""
    found: dict[str, str] = {}
    for one in said.json["checks"]:
        if found.get(one["step"]) != "failed":
            found[one["step"]] = one["status"]
    return found


def finding(said: Said, step: str) -> dict[str, Any]:
    """The one thing that a step found."""
    (one,) = [one for one in said.json["checks"] if one["step"] == step]
    return dict(one)


# -- as a command ---------------------------------------------------------------------------------


def test_all_is_well(shop: Shop, command: Command) -> None:
    said = command("check")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].startswith("ok      settings   profile local (default) -> sqlite:///")
    assert "it is a history of ours (3 runs)" in said.out
    assert lines[-1] == "7 ok"
    assert [path.name for path in shop.path.glob("flakefighters.db*")] == ["flakefighters.db"]


def test_check_as_json(shop: Shop, command: Command) -> None:
    said = command("check", "local", "--json")
    assert said.code == 0
    known = said.json
    assert (known["profile"], known["reason"], known["ok"]) == ("local", "the command line", True)
    assert known["database"] == "sqlite:///flakefighters.db"
    assert finding(said, "integrity") == {
        "step": "integrity",
        "status": "ok",
        "message": "every page is sound",
        "remedy": None,
    }
    steps = ["settings", "file", "git", "opens", "integrity", "version", "packages"]
    assert [one["step"] for one in known["checks"]] == steps


def test_an_absent_history_is_no_failure_and_none_is_made(
    empty_shop: Shop, command: Command
) -> None:
    said = command("check", "--json")
    assert said.code == 0
    assert statuses(said)["opens"] == "skipped"
    assert not empty_shop.database.exists()


def test_a_failure_is_shown_with_its_remedy(empty_shop: Shop, command: Command) -> None:
    said = command("check", "shared")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == "FAILED  settings   profile shared has no URL"
    assert "FLAKEFIGHTERS_PROFILES__SHARED__URL" in lines[1]
    assert lines[2].startswith("skipped network")
    assert lines[-1].endswith("1 FAILED")


@pytest.mark.parametrize(
    ("arguments", "step", "message"),
    [
        (("shred",), "settings", "no profile 'shred'"),
        (("--database-url", "mysql://x/y"), "settings", "--database-url"),
        (("broken",), "settings", "connect_timeout must be a whole number"),
    ],
)
def test_settings_that_name_nothing(
    empty_shop: Shop, command: Command, arguments: tuple[str, ...], step: str, message: str
) -> None:
    (empty_shop.path / "profiles.toml").write_text(
        '[profiles.broken]\nurl = "sqlite:///x.db"\nconnect_timeout = "soon"\n'
    )
    said = command("check", *arguments, "--json")
    assert said.code == 1
    assert finding(said, step)["status"] == "failed"
    assert message in finding(said, step)["message"]
    assert statuses(said)["packages"] == "ok"


_PASSWORD = "FLAKEFIGHTERS_PROFILES__CI__PASSWORD"
_WHO = "ci_writer@db.invalid:5432/flakes"


@pytest.mark.parametrize(
    ("given", "lines"),
    [
        ({}, [f"export {_PASSWORD}=...", f"export {_PASSWORD}_HOST={_WHO}"]),
        ({"CI": "true"}, [f"{_PASSWORD}=...", f"{_PASSWORD}_HOST={_WHO}"]),
        ({_PASSWORD: "hunter2"}, [f"export {_PASSWORD}_HOST={_WHO}"]),
        (
            {"FLAKEFIGHTERS_PROFILES__CI__URL": "postgresql://u@db.invalid/d"},
            [f"export {_PASSWORD}=..."],
        ),
    ],
)
def test_lines_that_can_be_pasted(
    empty_shop: Shop,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, str],
    lines: list[str],
) -> None:
    (empty_shop.path / "profiles.toml").write_text(
        f'[profiles.ci]\nurl = "postgresql://{_WHO}"\n', encoding="utf-8"
    )
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    said = command("check", "ci")
    found = [line for line in said.out.splitlines() if line.startswith("    ") and line[4] != " "]
    assert found == [f"    {line}" for line in lines]


def test_profile_and_url_exclude_each_other(empty_shop: Shop, command: Command) -> None:
    assert command("check", "local", "--database-url", "sqlite:///x.db").code == 2


def test_a_setting_without_effect_is_a_failure_of_the_profile_that_has_it(
    shop: Shop, command: Command
) -> None:
    (shop.path / "profiles.toml").write_text('[profiles.ci]\nuri = "sqlite:///x.db"\n')
    assert command("check", "local").code == 0
    said = command("check", "ci", "--json")
    assert said.code == 1
    assert "unknown setting uri" in said.json["checks"][0]["message"]


def test_in_ci_no_other_profile_is_checked_instead(
    empty_shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql://u@127.0.0.1:1/flakes"
    (empty_shop.path / "profiles.toml").write_text(f'[profiles.ci]\nurl = "{url}"\n')
    monkeypatch.setenv("CI", "true")
    said = command("check", "--json")
    assert said.code == 1
    assert said.json["profile"] == "ci"
    password = finding(said, "password")
    assert password["status"] == "failed"
    assert "set FLAKEFIGHTERS_PROFILES__CI__PASSWORD" in password["remedy"]


# -- SQLite ---------------------------------------------------------------------------------------


def test_a_tracked_file(shop: Shop, command: Command) -> None:
    subprocess.run(["git", "add", "-f", "flakefighters.db"], check=True)
    said = command("check", "--json")
    assert said.code == 1
    assert finding(said, "git")["remedy"].startswith("git rm --cached flakefighters.db")


def test_a_file_that_git_would_take_in(shop: Shop, command: Command) -> None:
    advice = finding(command("check", "--json"), "git")["remedy"]
    assert "flakefighters init" in advice
    command("init", "--yes")
    assert finding(command("check", "--json"), "git")["remedy"] is None


def test_another_programs_file(empty_shop: Shop, command: Command) -> None:
    import sqlite3

    connection = sqlite3.connect(empty_shop.database)
    connection.execute("PRAGMA application_id = 7")
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    said = command("check", "--json")
    assert said.code == 1
    assert "another program" in finding(said, "file")["message"]
    assert statuses(said)["integrity"] == "skipped"


def test_a_link(shop: Shop, command: Command, tmp_path: Path) -> None:
    shop.database.rename(tmp_path / "real.db")
    shop.database.symlink_to(tmp_path / "real.db")
    said = command("check", "--json")
    assert said.code == 1
    assert "is a link" in finding(said, "file")["message"]


def test_a_damaged_page(shop: Shop, command: Command) -> None:
    import sqlite3

    connection = sqlite3.connect(shop.database)
    sql = "SELECT rootpage FROM sqlite_master WHERE name = 'tombstone'"
    ((page,),) = connection.execute(sql)
    ((size,),) = connection.execute("PRAGMA page_size")
    connection.close()
    with shop.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xee" * size)
    said = command("check", "--json")
    assert said.code == 1
    assert finding(said, "opens")["status"] == "ok"  # nobody looks at that table
    damaged = finding(said, "integrity")
    assert "the file is damaged" in damaged["message"]
    assert ".recover" in damaged["remedy"]


def test_a_file_that_is_damaged_where_everybody_looks(shop: Shop, command: Command) -> None:
    with shop.database.open("r+b") as file:
        file.seek(100)
        file.write(b"\xee" * 4000)
    said = command("check", "--json")
    assert said.code == 1
    assert "damaged" in finding(said, "opens")["message"]
    assert statuses(said)["integrity"] == "skipped"


def test_a_later_version(shop: Shop, command: Command) -> None:
    import sqlite3

    connection = sqlite3.connect(shop.database)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("UPDATE meta SET value = '99' WHERE key = 'oldest_reader'")
    connection.commit()
    connection.close()
    said = command("check", "--json")
    assert said.code == 1
    assert "upgrade flakefighters" in finding(said, "opens")["remedy"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(
    empty_shop: Shop, command: Command
) -> None:  # pragma: no cover
    empty_shop.path.chmod(0o500)
    try:
        said = command("check", "--json")
    finally:
        empty_shop.path.chmod(0o700)
    assert finding(said, "file")["status"] == "failed"


def test_a_folder_that_does_not_exist(empty_shop: Shop, command: Command) -> None:
    said = command("check", "--json", "--database-url", "sqlite:///nowhere/x.db")
    assert said.code == 1
    assert "nowhere" in finding(said, "file")["remedy"]


def test_the_look_at_every_page_ends_in_time(
    shop: Shop, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Budget, "left", lambda self, limit: 5.0 if limit == 5.0 else -1.0)
    # So small a file is done before anybody looks at the clock.
    connect = vars(SqliteDatabase)["connection"].fget

    class Eager:
        def __init__(self, real: Any):
            self._real = real

        def set_progress_handler(self, handler: Any, steps: int) -> None:
            self._real.set_progress_handler(handler, min(steps, 1))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    monkeypatch.setattr(SqliteDatabase, "connection", property(lambda self: Eager(connect(self))))
    said = command("check", "--json")
    assert finding(said, "integrity")["status"] == "skipped"
    assert said.code == 0


# -- the network ----------------------------------------------------------------------------------


def server(host: str = "127.0.0.1", port: int = 5432, **more: Any) -> Target:
    return Target(backend="postgresql", host=host, port=port, connect_timeout=1, **more)


def answers(*addresses: str) -> network.Resolve:
    """A name server that knows these addresses of every name."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        family = [socket.AF_INET6 if ":" in one else socket.AF_INET for one in addresses]
        return [
            (kind, socket.SOCK_STREAM, 6, "", (address, port))
            for kind, address in zip(family, addresses, strict=True)
        ]

    return resolve


def raising(error: OSError) -> network.Connect:
    def connect(address: Any, timeout: float) -> socket.socket:
        raise error

    return connect


def test_a_port_that_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        found = network.reach(server(port=port), Budget())
        named = network.reach(server("localhost", port), Budget())
    assert (found.check.status, found.address) == ("ok", ("127.0.0.1", port))
    assert named.check.message.startswith("localhost is 127.0.0.1, port")


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    found = network.reach(server(port=port), Budget())
    assert (found.check.status, found.usable) == ("failed", False)
    assert found.check.message == f"nobody listens on port {port} of 127.0.0.1"


def test_a_name_that_nobody_knows() -> None:
    found = network.reach(server("db.invalid"), Budget())
    assert found.check.status == "failed"
    assert "db.invalid is not known" in found.check.message


def test_a_name_server_that_is_silent() -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        time.sleep(30)
        return []

    start = time.monotonic()
    found = network.reach(server("db.example.org"), Budget(0.3), resolve=resolve)
    assert time.monotonic() - start < 10
    assert "(no answer)" in found.check.message


def test_a_host_of_ipv6_only_where_there_is_none() -> None:
    found = network.reach(
        server("db.example.org"),
        Budget(),
        resolve=answers("2001:db8::1"),
        connect=raising(OSError(errno.ENETUNREACH, "Network is unreachable")),
    )
    assert found.check.status == "failed"
    assert "IPv6 addresses only" in found.check.message
    assert "session pooler" in (found.check.remedy or "")


def test_a_host_of_ipv6_only_where_there_is_some() -> None:
    def connect(address: Any, timeout: float) -> socket.socket:
        return socket.socket()

    found = network.reach(
        server("db.example.org"), Budget(), resolve=answers("2001:db8::1"), connect=connect
    )
    assert found.check.status == "ok"
    assert "many CI services lack" in (found.check.remedy or "")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TimeoutError("timed out"), "no answer from port 5432"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "(No route to host)"),
    ],
)
def test_a_host_that_is_not_reached(error: OSError, message: str) -> None:
    found = network.reach(
        server("db.example.org"), Budget(), resolve=answers("192.0.2.1"), connect=raising(error)
    )
    assert message in found.check.message
    assert not found.usable


def test_a_unix_socket(tmp_path: Path) -> None:
    assert not network.reach(server(str(tmp_path)), Budget()).usable
    (tmp_path / ".s.PGSQL.5432").touch()
    assert network.reach(server(str(tmp_path)), Budget()).check.status == "ok"


# -- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def shaken(answer: bytes, mode: str, certificate: Certificate | None = None, **more: Any) -> Any:
    """What is said of an endpoint that says it is some host elsewhere."""
    more.setdefault("host", "db.example.org")
    with endpoint(answer, certificate) as port:
        target = server(port=port, sslmode=mode, **more)
        return tls.look(target, ("127.0.0.1", port), Budget()).check


def test_encrypted_but_nobody_checks_by_whom(certificate: Certificate) -> None:
    found = shaken(b"S", "require", certificate)
    assert found.status == "ok"
    assert "TLSv1.3; nobody checks the certificate" in found.message
    assert "sslrootcert" in found.remedy


@pytest.mark.parametrize(
    ("mode", "host"), [("verify-full", "localhost"), ("verify-ca", "db.example.org")]
)
def test_a_certificate_that_is_verified(certificate: Certificate, mode: str, host: str) -> None:
    found = shaken(b"S", mode, certificate, host=host, sslrootcert=str(certificate.file))
    assert (found.status, found.remedy) == ("ok", None)
    assert "valid until" in found.message


def test_require_with_an_authority_verifies_as_libpq_does(
    certificate: Certificate, tmp_path: Path
) -> None:
    other = make_certificate(tmp_path, "other.example.org")
    assert shaken(b"S", "require", certificate, sslrootcert=str(other.file)).status == "failed"


def test_a_certificate_for_another_host(certificate: Certificate) -> None:
    found = shaken(b"S", "verify-full", certificate, sslrootcert=str(certificate.file))
    assert found.status == "failed"
    assert "ostname mismatch" in found.message
    assert "host name that the certificate is for" in found.remedy


def test_a_certificate_that_nobody_signed(certificate: Certificate, tmp_path: Path) -> None:
    other = make_certificate(tmp_path)
    found = shaken(b"S", "verify-full", certificate, host="localhost", sslrootcert=str(other.file))
    assert found.status == "failed"
    assert "provider's file" in found.remedy


def test_a_certificate_that_has_ended(tmp_path: Path) -> None:
    old = make_certificate(tmp_path, days=-3)
    found = shaken(b"S", "verify-full", old, host="localhost", sslrootcert=str(old.file))
    assert found.status == "failed"
    assert "expired" in found.message
    assert "renew" in found.remedy


def test_a_certificate_that_is_about_to_end(tmp_path: Path) -> None:
    old = make_certificate(tmp_path, days=3)
    found = shaken(b"S", "verify-full", old, host="localhost", sslrootcert=str(old.file))
    assert (found.status, found.remedy) == ("ok", "renew it")


def test_no_authority_to_ask(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = shaken(b"S", "verify-full", certificate)
    assert found.status == "failed"
    assert 'sslrootcert = "system"' in found.remedy


@pytest.mark.parametrize(
    ("mode", "host", "status"),
    [
        ("require", "db.example.org", "failed"),
        ("prefer", "db.example.org", "failed"),
        ("prefer", "127.0.0.1", "ok"),
        ("disable", "127.0.0.1", "skipped"),
        ("disable", "db.example.org", "failed"),
    ],
)
def test_a_server_without_tls(mode: str, host: str, status: str) -> None:
    assert shaken(b"N", mode, host=host).status == status


def test_something_else_on_the_port() -> None:
    found = shaken(b"HTTP/1.1 400 Bad Request\r\n", "require")
    assert "no PostgreSQL server" in found.message


def test_silence_instead_of_a_handshake() -> None:
    start = time.monotonic()
    with endpoint(b"") as port:
        target = server("db.example.org", port, sslmode="require")
        found = tls.look(target, ("127.0.0.1", port), Budget(0.5))
    assert time.monotonic() - start < 10
    assert (found.check.status, found.usable) == ("failed", False)


# -- packages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packages", "messages"),
    [
        ([("psycopg2-binary", ())], []),
        ([("psycopg2", ())], []),
        ([("psycopg2", ()), ("psycopg2-binary", ())], ["share their files"]),
        ([], ["no PostgreSQL history"]),
        (
            [("psycopg2", ()), ("pytest-flakefighters", ("flakefighter",))],
            ["pytest-flakefighters 1.0 is another plugin"],
        ),
        (
            [("psycopg2", ()), ("flakefighters", ("flakefighters",)), ("x", ("flakefighters",))],
            ["x 1.0 is another plugin"],
        ),
    ],
)
def test_packages_that_clash(
    packages: list[tuple[str, tuple[str, ...]]], messages: list[str]
) -> None:
    found = list(clashes(Installed(name, "1.0", plugins) for name, plugins in packages))
    if not messages:
        assert [one.status for one in found] == ["ok"]
        return
    assert [one.status for one in found] == ["failed"] * len(messages)
    for one, message in zip(found, messages, strict=True):
        assert message in one.message
        assert one.remedy


def test_a_namesake_that_is_really_installed(
    shop: Shop, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "pytest_flakefighters-0.7.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pytest_FlakeFighters\n")
    (tmp_path / "site" / "half_removed-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(info.parent))
    said = command("check", "--json")
    assert said.code == 1
    assert "pytest-flakefighters" in finding(said, "packages")["message"]
