"""The functions of the standard library that we rely on, bound before any test can replace them.

Tests freeze clocks, fake the file system and replace functions by hand.  The plugin imports this
module first, before any conftest file is loaded.  Everything stands in one object because
``freezegun`` and ``pyfakefs`` replace such functions wherever a module holds them by name.

Add a function here instead of a copy in the module that needs it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
from typing import Any, Final

__all__ = ["real"]


class _Originals:
    """One attribute per function or class, under its own name; of two with one name, ``os_…``."""

    def __init__(self) -> None:
        self.time, self.time_ns = time.time, time.time_ns
        self.monotonic, self.sleep = time.monotonic, time.sleep
        self.Thread, self.Event = threading.Thread, threading.Event
        self.dumps, self.loads = json.dumps, json.loads
        # Files and folders.
        self.open, self.lstat, self.readlink, self.scandir = open, os.lstat, os.readlink, os.scandir
        self.os_open, self.read, self.write, self.close = os.open, os.read, os.write, os.close
        self.unlink, self.replace, self.makedirs = os.unlink, os.replace, os.makedirs
        self.getcwd, self.umask, self.urandom = os.getcwd, os.umask, os.urandom
        # Processes.
        self.getpid, self.kill, self.killpg = os.getpid, os.kill, getattr(os, "killpg", None)
        self.Popen, self.select, self.pipe = subprocess.Popen, select.select, os.pipe
        self.waitpid = os.waitpid
        self.posix_spawn: Any = getattr(os, "posix_spawn", None)
        self.uname = getattr(os, "uname", None)

    def hostname(self) -> str:
        """What ``socket.gethostname`` says, without the milliseconds that its module takes."""
        if self.uname is not None:
            return str(self.uname().nodename)
        import socket

        return socket.gethostname()


#: The originals: ``real.monotonic()`` is what ``time.monotonic()`` was.
real: Final = _Originals()
