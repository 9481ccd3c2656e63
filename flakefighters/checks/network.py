"""Second step: is the host known, and does its port answer?"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flakefighters.checks.results import Budget, Found, failed, ok, skipped
from flakefighters.history.deadlines import patiently
from flakefighters.model import Target

__all__ = ["reach"]

STEP: Final = "network"
_POOLER: Final = (
    "use an address with IPv4: the provider's session pooler "
    "(Supabase: …pooler.supabase.com, port 5432), or its IPv4 add-on"
)
_NO_ROUTE: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
#: Seconds for the look-up of a name, and for each of its addresses.
_LOOK_UP, _CONNECT, _ADDRESSES = 8.0, 5.0, 4

Resolve = Callable[..., list[Any]]
Connect = Callable[[tuple[Any, ...], float], socket.socket]


def reach(
    target: Target,
    budget: Budget,
    *,
    resolve: Resolve = socket.getaddrinfo,
    connect: Connect = socket.create_connection,
) -> Found:
    """Look the host up and knock at its port.  Nothing is sent."""
    host, port = target.host, target.port or 5432
    if host is None:
        return Found(skipped(STEP, "no host is named: the usual Unix socket of this machine"))
    if host.startswith("/"):
        return _socket_file(Path(host) / f".s.PGSQL.{port}")
    answer = patiently(lambda: resolve(host, port, type=socket.SOCK_STREAM), budget.left(_LOOK_UP))
    if answer.value is None:
        why = "no answer" if answer.late else getattr(answer.error, "strerror", None)
        return _lost(
            f"the host {host} is not known ({why or 'no address'})",
            "check the host in the URL; a name of a private network needs its VPN",
        )
    found = list(dict.fromkeys((one[0], one[4][0]) for one in answer.value))
    only_6 = all(family == socket.AF_INET6 for family, _ in found)
    troubles: list[OSError] = []
    for _, address in found[:_ADDRESSES]:
        start = time.monotonic()
        try:
            connect((address, port), budget.left(min(target.connect_timeout, _CONNECT))).close()
        except OSError as error:
            troubles.append(error)
            continue
        took = round(1000 * (time.monotonic() - start))
        name = host if host == address else f"{host} is {address}"
        advice = f"{host} has IPv6 only, which many CI services lack: {_POOLER}"
        said = f"{name}, port {port} answers in {took} ms"
        is_name = only_6 and host != address
        return Found(ok(STEP, said, advice if is_name else None), (address, port))
    return _unreachable(host, port, only_6, troubles)


def _unreachable(host: str, port: int, only_6: bool, troubles: list[OSError]) -> Found:
    if only_6 and all(error.errno in _NO_ROUTE for error in troubles):
        return _lost(f"{host} has IPv6 addresses only, and IPv6 does not work here", _POOLER)
    # The last address is as good as any; a refusal says more than silence.
    error = next((one for one in troubles if isinstance(one, ConnectionRefusedError)), troubles[-1])
    if isinstance(error, ConnectionRefusedError):
        return _lost(
            f"nobody listens on port {port} of {host}",
            "check the port; is the server running, and does it listen on this address?",
        )
    if isinstance(error, TimeoutError):
        return _lost(
            f"no answer from port {port} of {host}",
            "check host, port and firewall; hosted databases may allow listed addresses only, "
            "or be paused",
        )
    why = error.strerror or "no reason given"
    return _lost(f"port {port} of {host} cannot be reached ({why})", "check the network")


def _lost(message: str, remedy: str) -> Found:
    return Found(failed(STEP, message, remedy), usable=False)


def _socket_file(path: Path) -> Found:
    if path.exists():
        return Found(ok(STEP, f"the Unix socket {path} is there"))
    return _lost(f"there is no Unix socket {path}", "check folder and port; is the server running?")
