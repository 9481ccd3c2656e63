"""The keyring: a real Secret Service where its programs are installed, and bad backends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flakefighters.errors import ConfigError
from flakefighters.model import Secret, Target
from flakefighters.profiles.keyring import entry, forget, lookup, store
from tests.profiles.world import World

SECRET = Secret('pässword with "quotes"\n')
TARGET = Target(
    backend="postgresql", host="db.example.org", port=5432, user="reader", database="flakes"
)
BACKENDS = """
import os, sys, time
from keyring.backend import KeyringBackend

class Base(KeyringBackend):
    priority = 1
    def get_password(self, service, username): return self.act(service)
    def set_password(self, service, username, password): self.act(service)
    def delete_password(self, service, username): self.act(service)

class Hanging(Base):
    def act(self, service):
        open(os.environ["PID_FILE"], "w").write(str(os.getpid()))
        time.sleep(60)

class Raising(Base):
    def act(self, service): raise RuntimeError("the password was s3cret")

class Dying(Base):
    def act(self, service): os._exit(7)

class Chatty(Base):
    def act(self, service):
        print("hello from a backend")
        sys.stderr.write("and more")
        return "from-chatty"
"""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no hanging keyring."""
    defaults = lookup.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "deadline", 30.0)


def backend(tmp_path: Path, name: str) -> dict[str, str]:
    """An environment in which a backend of ours is the keyring."""
    (tmp_path / "odd_backends.py").write_text(BACKENDS)
    return {
        "HOME": str(tmp_path),
        "PYTHONPATH": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": f"odd_backends.{name}",
        "PID_FILE": str(tmp_path / "pid"),
    }


def named(tmp_path: Path, name: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": name}


def test_entries_are_bound_to_the_place() -> None:
    assert entry(TARGET) == ("flakefighters db.example.org:5432/flakes", "reader")
    bare = Target(backend="postgresql", host="::1", user="u", database="d")
    assert entry(bare) == ("flakefighters [::1]:5432/d", "u")


@pytest.mark.parametrize(
    "target",
    [
        Target(backend="sqlite", path=Path("x.db")),
        Target(backend="postgresql", host="h", user="u"),
        Target(backend="postgresql", host="h", database="d"),
        Target(backend="postgresql", user="u", database="d"),
    ],
)
def test_incomplete_places_have_no_entry(target: Target, tmp_path: Path) -> None:
    assert lookup(target, environ=backend(tmp_path, "Chatty")) == (None, None)
    with pytest.raises(ConfigError, match="complete the URL"):
        store(target, SECRET)


def test_null_backend_is_found_out(tmp_path: Path) -> None:
    environ = named(tmp_path, "keyring.backends.null.Keyring")
    assert lookup(TARGET, environ=environ) == (None, None)
    with pytest.raises(ConfigError, match=r"null.Keyring keeps nothing; the password was not"):
        store(TARGET, SECRET, environ=environ)
    assert forget(TARGET, environ=environ) is False


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("keyring.backends.fail.Keyring", "there is no keyring on this machine"),
        ("nowhere.Keyring", "the keyring's backend nowhere is not installed"),
        ("keyring.backends.null.Absent", "the keyring failed (AttributeError)"),
    ],
)
def test_backends_that_are_none(tmp_path: Path, name: str, note: str) -> None:
    environ = named(tmp_path, name)
    assert lookup(TARGET, environ=environ) == (None, note)
    with pytest.raises(ConfigError) as caught:
        store(TARGET, SECRET, environ=environ)
    assert caught.value.message == f"{note}; the password was not stored"
    with pytest.raises(ConfigError):
        forget(TARGET, environ=environ)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("Raising", "the keyring failed (RuntimeError)"),
        ("Dying", "the keyring failed (exit code 7)"),
    ],
)
def test_odd_backends(tmp_path: Path, name: str, note: str) -> None:
    assert lookup(TARGET, environ=backend(tmp_path, name)) == (None, note)


def test_what_a_backend_prints_is_no_answer(tmp_path: Path) -> None:
    found = lookup(TARGET, environ=backend(tmp_path, "Chatty"))
    assert found == (Secret("from-chatty"), None)


def test_a_hanging_keyring_is_ended(tmp_path: Path) -> None:
    start = time.monotonic()
    found = lookup(TARGET, environ=backend(tmp_path, "Hanging"), deadline=1.5)
    assert found == (None, "the keyring did not answer within 1.5 s")
    assert time.monotonic() - start < 15
    pid = tmp_path / "pid"
    if pid.exists():  # else the machine was too busy to get that far
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_modules_of_the_current_folder_are_not_the_keyring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keyring.py").write_text("def get_password(*_): return 'from the project'")
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    environ = named(tmp_path, "keyring.backends.null.Keyring")
    assert lookup(TARGET, environ=environ) == (None, None)


# -- in the choice of a profile ----------------------------------------------------------------


def with_chatty(world: World, tmp_path: Path) -> World:
    return world.project().env(**{**backend(tmp_path, "Chatty"), "HOME": str(world.home)})


def test_only_the_active_profile_without_password_asks(world: World, tmp_path: Path) -> None:
    with_chatty(world, tmp_path)
    found = world.resolve(option_profile="shared")
    assert found.target.password == Secret("from-chatty")
    assert found.notes == ()
    assert world.resolve().target.password is None
    assert world.resolve(option_profile="ci", need_credentials=False).target.password is None
    given = world.env(PGPASSWORD="own").resolve(option_url="postgresql://u@h.example/d")
    assert given.target.password == Secret("own")


def test_never_in_ci(world: World, tmp_path: Path) -> None:
    with_chatty(world, tmp_path).ci()
    found = world.resolve(option_profile="shared")
    assert (found.profile, found.target.password) == ("local", None)
    world.project('[profiles.local]\nurl = "postgresql://u@h.example/d"\n')
    found = world.resolve(option_profile="local")
    assert (found.profile, found.target.password) == ("local", None)


def test_no_password_anywhere_says_what_to_do(world: World) -> None:
    [note] = world.project().resolve(option_profile="shared").notes
    assert note == (
        "no password for reader@db.example.org:5432/flakes is known; "
        "store it with `flakefighters login shared`"
    )


# -- a real one --------------------------------------------------------------------------------

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
absent = [program for program in PROGRAMS if shutil.which(program) is None]
needs_service = pytest.mark.skipif(bool(absent), reason=f"not installed: {', '.join(absent)}")


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A session bus of our own, as an environment."""
    home = tmp_path_factory.mktemp("bus")
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:dir={home}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    yield {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "PATH": os.environ["PATH"],
        "DBUS_SESSION_BUS_ADDRESS": address,
        # The programs must not find the user's own desktop.
        "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring",
    }
    daemon.terminate()
    daemon.communicate()


@pytest.fixture(scope="module")
def service(bus: dict[str, str]) -> Iterator[dict[str, str]]:
    """An unlocked keyring on that bus."""
    daemon = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=bus,
    )
    assert daemon.stdin is not None
    daemon.stdin.write(b"the keyring's password")
    daemon.stdin.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            store(TARGET, Secret("ready"), environ=bus, deadline=5)
            break
        except ConfigError:
            time.sleep(0.2)
    yield bus
    daemon.terminate()
    daemon.wait()


@needs_service
def test_store_lookup_forget(service: dict[str, str]) -> None:
    store(TARGET, SECRET, environ=service)
    assert lookup(TARGET, environ=service) == (SECRET, None)
    for other in (
        Target(backend="postgresql", host="evil", port=5432, user="reader", database="flakes"),
        Target(
            backend="postgresql", host="db.example.org", port=6543, user="reader", database="flakes"
        ),
        Target(backend="postgresql", host="db.example.org", port=5432, user="x", database="flakes"),
        Target(backend="postgresql", host="db.example.org", port=5432, user="reader", database="x"),
    ):
        assert lookup(other, environ=service) == (None, None)
    assert forget(TARGET, environ=service) is True
    assert forget(TARGET, environ=service) is False
    assert lookup(TARGET, environ=service) == (None, None)


@needs_service
def test_profile_with_a_real_keyring(service: dict[str, str], world: World) -> None:
    store(TARGET, SECRET, environ=service)
    world.project().environ.update({**service, "HOME": str(world.home)})
    found = world.resolve(option_profile="shared")
    assert found.target.password == SECRET
    world.project(TARGET_ELSEWHERE)
    assert world.resolve(option_profile="shared").target.password is None


TARGET_ELSEWHERE = '[profiles.shared]\nurl = "postgresql://reader@evil.example:5432/flakes"\n'


@needs_service
def test_locked(service: dict[str, str]) -> None:
    code = (
        "import secretstorage as s; c = s.dbus_init(); s.get_default_collection(c).lock();c.close()"
    )
    store(TARGET, SECRET, environ=service)
    subprocess.run([sys.executable, "-c", code], env=service, check=True)
    secret, note = lookup(TARGET, environ=service)
    assert secret is None
    assert note is not None
    assert "locked" in note
    with pytest.raises(ConfigError, match="locked"):
        store(TARGET, SECRET, environ=service, deadline=5)
    with pytest.raises(ConfigError, match="locked"):
        forget(TARGET, environ=service, deadline=5)


@needs_service
def test_never_set_up(bus: dict[str, str], tmp_path: Path) -> None:
    daemon = subprocess.Popen(
        [
            "dbus-daemon",
            "--session",
            "--nofork",
            "--print-address",
            f"--address=unix:dir={tmp_path}",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    environ = {**bus, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    environ["DBUS_SESSION_BUS_ADDRESS"] = daemon.stdout.readline().strip()
    try:
        secret, note = lookup(TARGET, environ=environ)
    finally:
        daemon.terminate()
        daemon.communicate()
    assert secret is None
    assert note is not None
