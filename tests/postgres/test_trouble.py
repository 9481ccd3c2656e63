"""What PostgreSQL and the driver say, in plain words; no server needed."""

from __future__ import annotations

import pytest

from flakefighters.errors import DatabaseError, UnreachableError
from flakefighters.history.postgres_errors import explain_postgres
from flakefighters.model import Secret, Target

TARGET = Target(
    backend="postgresql",
    host="db.example.org",
    user="ci_writer",
    database="flakes",
    password=Secret("s3cret-s3cret"),
    display="postgresql://db.example.org/flakes",
)


class DriverError(Exception):
    """As psycopg2's: a message, and a SQLSTATE once it is connected."""

    def __init__(self, message: str, pgcode: str | None = None):
        super().__init__(message)
        self.pgcode = pgcode


@pytest.mark.parametrize(
    ("said", "pgcode", "kind", "meaning"),
    [
        ("could not extend file", "53100", DatabaseError, "disk is full"),
        ("cannot execute INSERT", "25006", DatabaseError, "accepts no writes"),
        ("permission denied for table run", "42501", DatabaseError, "ci_writer lacks rights"),
        ("canceling statement due to lock timeout", "55P03", DatabaseError, "locked"),
        ("sorry, too many clients already", None, UnreachableError, "no free connection"),
        ("no more connections allowed (max_client_conn)", None, UnreachableError, "no free"),
        ("the database system is starting up", None, UnreachableError, "starting up"),
        (
            "connection to server at x failed: Network is unreachable",
            None,
            UnreachableError,
            "IPv6",
        ),
        ("SSL error: certificate verify failed", None, DatabaseError, "TLS with the server"),
        ("server does not support SSL, but SSL was required", None, DatabaseError, "no TLS"),
        ("could not translate host name", None, UnreachableError, "host is not known"),
        ("timeout expired", None, UnreachableError, "no answer"),
        ("server closed the connection unexpectedly", None, UnreachableError, "broke"),
        ("terminating connection", "08006", UnreachableError, "broke"),
        ("something new", "XX000", DatabaseError, "something new"),
        # Poolers
        (
            "FATAL: MaxClientsInSessionMode: max clients reached - limited to pool_size",
            None,
            UnreachableError,
            "no free",
        ),
        ("FATAL: Max client connections reached", None, UnreachableError, "no free"),
        (
            "FATAL: Unable to check out process from the pool due to timeout",
            "XX000",
            UnreachableError,
            "no free",
        ),
        ('FATAL: too many connections for role "w"', None, UnreachableError, "no free"),
        ("FATAL: query_wait_timeout", "08P01", UnreachableError, "no free"),
        (
            "FATAL: server login has been failing, try again later (server_login_retry)",
            None,
            UnreachableError,
            "starting up",
        ),
        ("FATAL: Tenant or user not found", None, DatabaseError, "write the user as role.project"),
        # A connection that was closed is not the certificate's fault.
        ("SSL connection has been closed unexpectedly", None, UnreachableError, "broke"),
        ("SSL SYSCALL error: EOF detected", None, UnreachableError, "broke"),
        ("SSL SYSCALL error: Connection reset by peer", None, UnreachableError, "broke"),
        ("SSL error: unexpected eof while reading", None, UnreachableError, "broke"),
        (
            "could not send SSL negotiation packet: server closed the connection unexpectedly",
            None,
            UnreachableError,
            "broke",
        ),
    ],
)
def test_each_trouble_is_named(
    said: str, pgcode: str | None, kind: type[DatabaseError], meaning: str
) -> None:
    error = explain_postgres(DriverError(said, pgcode), TARGET)
    assert type(error) is kind
    assert meaning in str(error)
    assert "db.example.org" in str(error)


def test_a_password_in_the_drivers_words_is_hidden() -> None:
    said = 'invalid dsn: "host=db password=s3cret-s3cret"\nDETAIL: s3cret-s3cret'
    error = explain_postgres(DriverError(said), TARGET)
    assert "s3cret" not in str(error)
