"""Quick runs of ``python -m pytest``, forked from a Python that has imported pytest already.

To import pytest is half of a short run, and to import flakefighters half of the rest.  Each process
of the suite has two such Pythons: one has imported what most runs need of flakefighters, the other
knows nothing of it (``ready=False``).  Each run is a process of its own with the environment,
folder and output that were asked for.  ``FFTEST_COLD=1`` starts a new interpreter for every run
instead, as do runs that ask for other settings of Python, and systems without pidfd.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["VARIABLE", "run"]

VARIABLE = "FFTEST_COLD"

#: Python reads its variables when it starts, before a run could change them.
_FIXED = {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
_MESSAGE = 1 << 20
#: What imports all that a run with a failing test needs, except the plugin itself.
_READY = (
    *("capture.longrepr", "capture.signature", "fighters.registry", "history.sqlite"),
    *("judging.judge", "reports.terminal", "session.prepare", "tracing.session"),
)


def run(
    arguments: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    merged: bool = False,
    ready: bool = False,
    timeout: float = 100,
) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m pytest``; ``merged`` sends its errors where its output goes."""
    if not _can_be_forked(env):
        return subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            timeout=timeout,
            check=False,
        )
    request = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)})
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, ours:
        with theirs, Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), out.fileno(), (out if merged else err).fileno()]
            socket.send_fds(_server(ready), [request.encode()], [*files, theirs.fileno()])
        ours.settimeout(timeout)
        pid = int(ours.recv(_MESSAGE))
        try:
            code = int(ours.recv(_MESSAGE))
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def _can_be_forked(env: Mapping[str, str]) -> bool:
    fixed = {
        name: value
        for name, value in env.items()
        if name.startswith(("PYTHON", "LC_", "LANG")) and name != "PYTHONPATH"
    }
    return fixed == _FIXED and hasattr(os, "pidfd_open") and not os.environ.get(VARIABLE)


@functools.cache
def _server(ready: bool) -> socket.socket:
    """The way to a server of this process; it ends when this process does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    names = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    inherited = {name: os.environ[name] for name in names if name in os.environ}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno()), *(_READY if ready else ())],
            env=inherited | _FIXED,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    for end in (ours.close, process.wait, process.kill):  # the last one first
        atexit.register(end)
    return ours


# -- the server ----------------------------------------------------------------------------------


def _serve(control: socket.socket) -> str | None:
    """Fork for each request; returns in the new process, with its request, or at the end."""
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        ready, _, _ = select.select([control.fileno(), *running], [], [])
        for pidfd in running.keys() & ready:
            pid, reply = running.pop(pidfd)
            os.close(pidfd)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            with reply, contextlib.suppress(OSError):  # whoever asked waits no more
                reply.send(str(code).encode())
        if control.fileno() in ready:
            request, files, _, _ = socket.recv_fds(control, _MESSAGE, 4)
            if not request:
                return None
            pid = os.fork()
            if not pid:
                for number, file in enumerate(files[:3]):
                    os.dup2(file, number)
                for other in (control, *(reply for _, reply in running.values())):
                    other.detach()
                os.closerange(3, 1024)
                return request.decode()
            for file in files[:3]:
                os.close(file)
            reply = socket.socket(fileno=files[3])
            reply.send(str(pid).encode())
            running[os.pidfd_open(pid)] = pid, reply


def _play(request: str) -> None:
    """Become the run that was asked for."""
    wanted = json.loads(request)
    os.environ.clear()
    os.environ.update(wanted["env"])
    time.tzset()
    os.chdir(wanted["cwd"])
    paths = wanted["env"].get("PYTHONPATH", "")
    sys.path[:1] = [wanted["cwd"], *filter(None, paths.split(os.pathsep))]
    sys.argv[:] = ["pytest", *wanted["arguments"]]
    runpy.run_module("pytest", run_name="__main__", alter_sys=True)


def _main() -> None:
    import pytest  # noqa: F401
    from _pytest.config import default_plugins

    for name in default_plugins:
        importlib.import_module(f"_pytest.{name}")
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    for name in sys.argv[2:]:
        importlib.import_module(f"flakefighters.{name}")
    del sys.path[0]
    gc.collect()
    gc.freeze()
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        _play(request)


if __name__ == "__main__":
    _main()
