"""TLS with a real server: who is spoken to, and that nothing secret goes to anybody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from flakefighters.errors import DatabaseError
from flakefighters.history import open_history
from flakefighters.model import Target
from flakefighters.profiles import Inputs, resolve
from tests.cli.tls_endpoint import Certificate, make_certificate
from tests.e2e.project import Project
from tests.history.made_runs import make_run
from tests.postgres.server import PostgresServer, find_tls_binaries, running_server
from tests.requirements import lack

PREFIX = "FLAKEFIGHTERS_PROFILES__CI__"
#: For 127.0.0.1 and for this name, which is not the server's.
OTHER = "db.example.org"


@dataclass
class Secure:
    """A server with TLS."""

    server: PostgresServer
    certificate: Certificate
    #: Signed something else, under the same name.
    stranger: Certificate
    database: str
    #: A name of this machine that does not count as local.
    host: str
    binaries: Path
    addresses: Sequence[str]

    def settings(self, folder: Path, host: str = "127.0.0.1", **fields: str) -> dict[str, str]:
        """Variables of a profile."""
        where = f"{host}:{self.server.port}/{self.database}"
        url = f"postgresql://{self.server.user}:{self.server.password}@{where}"
        fields = {"url": url, **fields}
        return {f"{PREFIX}{name.upper()}": value for name, value in fields.items()}

    def target(self, folder: Path, host: str = "127.0.0.1", **fields: str) -> Target:
        """What the profile comes to."""
        environ = {"CI": "true", "HOME": str(folder), **self.settings(folder, host, **fields)}
        return resolve(Inputs(anchor=folder, environ=environ)).target

    def said(self) -> int:
        """How much the server has logged."""
        return len(self._log())

    def logins(self, since: int) -> list[str]:
        """Lines of the log that are about a login."""
        lines = self._log()[since:].splitlines()
        return [one for one in lines if "authoriz" in one or "authentic" in one]

    def _log(self) -> str:
        return (self.server.folder / "log").read_text(errors="replace")


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    binaries = find_tls_binaries()
    if binaries is None:
        lack("PostgreSQL with TLS")
    assert binaries is not None
    folder, elsewhere = tmp_path_factory.mktemp("tls"), tmp_path_factory.mktemp("stranger")
    host = socket.gethostname().lower()
    try:
        address = socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0]
    except OSError:
        lack("name of this machine with an address")
    certificate, stranger = make_certificate(folder, OTHER), make_certificate(elsewhere, OTHER)
    addresses = sorted({"127.0.0.1", str(address)})
    pair = (certificate.file, certificate.key)
    with running_server(binaries, certificate=pair, addresses=addresses) as server:
        database = server.create_database()
        yield Secure(server, certificate, stranger, database, host, binaries, addresses)


def encrypted(target: Target) -> bool:
    with open_history(target) as history:
        ((is_on,),) = history.database.query(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
    return bool(is_on)


# -- what is asked for -----------------------------------------------------------------------


def test_a_host_that_is_not_local_is_spoken_to_in_secret(secure: Secure, tmp_path: Path) -> None:
    target = secure.target(tmp_path, secure.host)
    assert target.sslmode == "require"
    assert encrypted(target)


def test_without_tls_it_is_not_spoken_to(secure: Secure, tmp_path: Path) -> None:
    with running_server(secure.binaries, addresses=secure.addresses) as server:
        server.ask("ALTER SYSTEM SET log_connections = on")
        server.ask("SELECT pg_reload_conf()")
        plain = replace(secure, server=server, database="postgres")
        since = plain.said()
        with pytest.raises(DatabaseError, match="offers no TLS"):
            open_history(plain.target(tmp_path, secure.host))
        assert plain.logins(since) == []


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_the_right_authority(secure: Secure, tmp_path: Path, mode: str) -> None:
    root = str(secure.certificate.file)
    assert encrypted(secure.target(tmp_path, sslmode=mode, sslrootcert=root))


REFUSALS = {
    "another authority": ("127.0.0.1", "stranger", "verify-full"),
    "another authority, the name aside": ("127.0.0.1", "stranger", "verify-ca"),
    "another authority, merely required": ("127.0.0.1", "stranger", "require"),
    "another name": ("localhost", "certificate", "verify-full"),
}


def refused(secure: Secure, why: str) -> tuple[str, dict[str, str]]:
    host, root, mode = REFUSALS[why]
    return host, {"sslmode": mode, "sslrootcert": str(getattr(secure, root).file)}


@pytest.mark.parametrize("why", REFUSALS)
def test_whoever_cannot_prove_who_it_is_gets_no_password(
    secure: Secure, tmp_path: Path, why: str
) -> None:
    host, fields = refused(secure, why)
    target = secure.target(tmp_path, host, **fields)
    since = secure.said()
    with pytest.raises(DatabaseError, match="TLS with the server failed") as caught:
        open_history(target)
    assert "certificate" in str(caught.value)
    assert "sslrootcert" in str(caught.value.remedy)
    assert secure.server.password not in str(caught.value)
    assert secure.logins(since) == []


def test_an_authority_that_is_not_there(secure: Secure, tmp_path: Path) -> None:
    target = secure.target(tmp_path, sslmode="verify-full", sslrootcert="no/such/file.crt")
    with pytest.raises(DatabaseError, match="TLS with the server failed"):
        open_history(target)


# -- what people do --------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.init()
    project.commit({"test_it.py": "def test_it():\n    pass\n"})
    project.git("remote", "add", "origin", "https://github.com/acme/shop.git")
    project.env["CI"] = "true"
    return project


def test_check_save_and_clone_with_a_proven_server(secure: Secure, project: Project) -> None:
    root = str(secure.certificate.file)
    project.env |= secure.settings(project.root, sslmode="verify-full", sslrootcert=root)
    ended = project.pytest(expect=0)
    assert ended.warnings == []
    assert ended.closing.endswith("saved to ci")
    checked = project.flakefighters("check", "ci")
    (line,) = [line for line in checked.stdout.splitlines() if " TLS" in line or "TLS " in line]
    assert "valid until" in line
    cloned = project.flakefighters("clone", "--from", "ci", "--into", "local")
    assert cloned.returncode == 0, cloned.stderr
    assert len(project.runs()) >= 1


@pytest.mark.parametrize("why", ["another authority", "another name"])
def test_check_save_and_clone_with_a_stranger(secure: Secure, project: Project, why: str) -> None:
    host, fields = refused(secure, why)
    project.env |= secure.settings(project.root, host, **fields)
    since = secure.said()
    ended = project.pytest(expect=0)
    assert "TLS with the server failed" in ended.out + ended.err
    assert len(project.spool) == 1  # the run is kept
    checked = project.flakefighters("check", "ci")
    assert checked.returncode == 1
    assert "is refused by verify-full" in checked.stdout
    cloned = project.flakefighters("clone", "--from", "ci", "--into", "local")
    assert cloned.returncode == 3
    assert [line.partition(":")[0] for line in cloned.stderr.splitlines()] == ["error", "more"]
    assert "TLS with the server failed" in cloned.stderr
    everything = ended.out + ended.err + checked.stdout + checked.stderr + cloned.stderr
    assert secure.server.password not in everything
    assert secure.logins(since) == []


def test_the_log_would_show_a_login(secure: Secure, tmp_path: Path) -> None:
    since = secure.said()
    with open_history(secure.target(tmp_path)) as history:
        history.save(make_run())
    assert secure.logins(since)
