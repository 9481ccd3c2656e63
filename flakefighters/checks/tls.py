"""Third step: is the connection encrypted, and is it known who answers?"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flakefighters.checks.results import Budget, Check, Found, failed, ok, skipped
from flakefighters.model import Target
from flakefighters.profiles.urls import is_local

__all__ = ["look"]

STEP: Final = "TLS"
#: What a PostgreSQL client asks before it says anything else: may we use TLS?
_QUESTION: Final = struct.pack("!ii", 8, 80877103)
_SECONDS: Final = 5.0
#: Advice starts this many days before a certificate ends.
_DAYS: Final = 21
#: OpenSSL's codes of certificates that no trusted authority has signed.
_UNKNOWN: Final = (2, 18, 19, 20, 21)


class _NoTlsError(Exception):
    """The server answered that it speaks no TLS."""


class _StrangerError(Exception):
    """What answered is no PostgreSQL server."""


def look(target: Target, address: tuple[str, int] | None, budget: Budget) -> Found:
    """Shake hands as the profile demands it, and say what came of it.  No login."""
    mode, local = target.sslmode or "prefer", is_local(target.host)
    if address is None:
        return Found(skipped(STEP, "no network in between"))
    if mode == "disable":
        return Found(_switched_off(local))
    name = target.host or address[0]
    if mode == "require" and target.sslrootcert:
        mode = "verify-ca"  # as libpq has it, when there is an authority
    way = _Way(address, budget, min(_SECONDS, target.connect_timeout))
    try:
        return Found(_verified(mode, target, name, way))
    except _NoTlsError:
        return _none(mode, local)
    except _StrangerError:
        said = f"what answers at port {address[1]} is no PostgreSQL server"
        return _over(said, "check the port")
    except ssl.SSLCertVerificationError as error:
        return Found(_refused(mode, name, error), usable=False)
    except ssl.SSLError as error:
        why = (error.reason or "no reason given").replace("_", " ").lower()
        said = f"no agreement with the server ({why})"
        # libpq would go on without TLS.
        goes_on = mode in ("allow", "prefer")
        return Found(failed(STEP, said, "it must speak TLS 1.2 or 1.3"), usable=goes_on)
    except FileNotFoundError:
        return _over(
            f"sslmode {mode} needs a certificate authority, and there is no such file",
            'set sslrootcert = "system", or to the file of your provider',
        )
    except OSError as error:
        why = error.strerror or "no answer"
        return _over(f"the handshake broke off ({why})", "check port, firewall and proxy")


def _over(message: str, remedy: str) -> Found:
    return Found(failed(STEP, message, remedy), usable=False)


def _none(mode: str, local: bool) -> Found:
    said = "the server offers none"
    if mode not in ("allow", "prefer"):
        return _over(
            f"{said}, and sslmode {mode} demands it", "switch TLS on at the server or pooler"
        )
    if local:
        return Found(ok(STEP, f"{said}; it is on this machine"))
    said += f", and sslmode {mode} goes on: others can listen"
    return Found(failed(STEP, said, _SET_IT))


_SET_IT: Final = 'set sslmode = "require", or better "verify-full"'


def _switched_off(local: bool) -> Check:
    if local:
        return skipped(STEP, "switched off, for a server on this machine")
    return failed(STEP, "switched off (sslmode disable): others can listen", _SET_IT)


@dataclass(frozen=True, slots=True)
class _Way:
    """How the server is reached."""

    address: tuple[str, int]
    budget: Budget
    #: For each step of the handshake.
    seconds: float


def _verified(mode: str, target: Target, name: str, way: _Way) -> Check:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    if mode not in ("verify-ca", "verify-full"):
        context.verify_mode = ssl.CERT_NONE
        version, _ = _shake(context, name, way)
        advice = None if is_local(target.host) else _could_verify(name, way)
        return ok(STEP, f"{version}; nobody checks the certificate (sslmode {mode})", advice)
    _load(context, target.sslrootcert)
    version, until = _shake(context, name, way)
    whose = f"is {name}'s" if mode == "verify-full" else "has a known authority"
    advice = "renew it" if until - time.time() < _DAYS * 86400 else None
    end = time.strftime("%Y-%m-%d", time.gmtime(until))
    return ok(STEP, f"{version}; the certificate {whose}, valid until {end} ({mode})", advice)


def _shake(context: ssl.SSLContext, name: str, way: _Way) -> tuple[str, float]:
    """The protocol's version, and the end of a verified certificate in seconds, else 0."""
    with socket.create_connection(way.address, way.budget.left(way.seconds)) as line:
        line.sendall(_QUESTION)
        answer = line.recv(1)
        if answer == b"N":
            raise _NoTlsError
        if answer != b"S":
            raise _StrangerError
        with context.wrap_socket(line, server_hostname=name) as secure:
            end = (secure.getpeercert() or {}).get("notAfter")
            until = ssl.cert_time_to_seconds(end) if isinstance(end, str) else 0.0
            return secure.version() or "TLS", until


def _load(context: ssl.SSLContext, authority: str | None) -> None:
    """Trust the profile's authority.  FileNotFoundError if there is none."""
    if authority == "system":
        context.load_default_certs()
        return
    usual = Path(os.environ.get("HOME") or "/") / ".postgresql" / "root.crt"  # libpq's own
    context.load_verify_locations(cafile=authority or str(usual))


def _could_verify(name: str, way: _Way) -> str:
    """What it takes to know who answers."""
    context = ssl.create_default_context()
    try:
        _shake(context, name, way)
    except (OSError, _NoTlsError, _StrangerError):
        return 'for sslmode = "verify-full", set sslrootcert to your provider\'s file'
    return 'sslmode = "verify-full" with sslrootcert = "system" would work here'


def _refused(mode: str, name: str, error: ssl.SSLCertVerificationError) -> Check:
    why = error.verify_message or "it cannot be verified"
    if error.verify_code == 10:
        remedy = "renew the server's certificate"
    elif error.verify_code in _UNKNOWN:
        remedy = "set sslrootcert to the authority that signed it: your provider's file"
    else:
        remedy = "use the host name that the certificate is for"
    return failed(STEP, f"the certificate of {name} is refused by {mode}: {why}", remedy)
