"""flakefighters at work: a small shop, tested three times with plain ``pytest``, once with a trial.

1. Every test passes.
2. Nothing has changed, but the bank does not answer: a flaky failure.
3. A commit breaks the sum: a genuine failure.
4. The failure is put on trial, and the commit that broke the test is found by experiment.

The shop is a git repository in a temporary folder that is removed at the end.  The exit code is 0
if flakefighters called both failures by their right names, else 1.  It needs git, and flakefighters
installed in the environment whose Python runs this file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

SHOP = {
    # A new random seed on the same state would be a doubt, where pytest-randomly is installed.
    "pyproject.toml": """\
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["-p", "no:randomly"]
""",
    ".gitignore": "__pycache__/\n.pytest_cache/\n",
    "shop/__init__.py": "",
    "shop/tax.py": """\
def tax(price: int) -> int:
    return price * 20 // 100
""",
    "shop/bank.py": """\
import os
from pathlib import Path

# It stands for a server: something outside of the repository that now and then is slow.
LINE = Path(os.environ["BANK_LINE"])


def pay(amount: int) -> str:
    if LINE.read_text() == "busy":
        raise TimeoutError("the bank does not answer")
    return f"paid {amount}"
""",
    "tests/test_tax.py": """\
from shop.tax import tax


def test_vat():
    assert tax(200) == 40
""",
    "tests/test_pay.py": """\
from shop.bank import pay


def test_pay():
    assert pay(240) == "paid 240"
""",
}

BREAKING = SHOP["shop/tax.py"].replace("// 100", "// 10")

#: All of the caller's environment that reaches the children: nothing of CI services, pytest, git
#: or flakefighters does, so that the demonstration is the same everywhere.
KEPT = ("LANG", "LC_ALL", "PATHEXT", "SYSTEMROOT", "TZ", "WINDIR")


def environment(home: Path) -> dict[str, str]:
    """The children's environment: git with a name to commit under, and a home of their own."""
    scripts = sysconfig.get_path("scripts")
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "PATH": os.pathsep.join((scripts, os.environ.get("PATH", os.defpath))),
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(home),
        "TEMP": str(home),
        "TMP": str(home),
        "BANK_LINE": str(home / "bank-line"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }


class Demo:
    """The shop's folder, and the commands that are run in it."""

    def __init__(self, folder: Path) -> None:
        self.shop = folder / "shop"
        self.line = folder / "bank-line"
        self.environ = environment(folder)
        self.shop.mkdir()

    def write(self, name: str, text: str) -> None:
        path = self.shop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *command: str, show: bool = True, expect: int = 0) -> str:
        """Run a command in the shop, show it with what it printed, and return that."""
        program = shutil.which(command[0], path=self.environ["PATH"])
        if program is None:
            raise SystemExit(f"demo: no program {command[0]} here")
        done = subprocess.run(
            [program, *command[1:]],
            cwd=self.shop,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=120,
            check=False,
        )
        if show or done.returncode != expect:
            print("$", *command)
            print(done.stdout, flush=True)
        if done.returncode != expect:
            raise SystemExit(f"demo: {command[0]} ended with {done.returncode}, not {expect}")
        return done.stdout

    def commit(self, message: str) -> None:
        self.run("git", "commit", "-q", "-a", "-m", message, show=False)


def label_of(nodeid: str, output: str) -> str:
    """What flakefighters called a test's failure: the first word of its line."""
    for line in output.splitlines():
        label, _, rest = line.partition(" ")
        if label in ("FLAKY", "GENUINE", "UNDECIDED") and rest.startswith(nodeid):
            return label
    return "nothing"


def play(folder: Path) -> bool:
    """Tell the story in an empty folder; True if both failures were called by their names."""
    demo = Demo(folder)
    demo.line.write_text("free")
    for name, text in SHOP.items():
        demo.write(name, text)
    demo.run("git", "init", "-q", show=False)
    demo.run("git", "add", ".", show=False)
    demo.commit("Open the shop")

    print("== 1. Everything passes.\n")
    demo.run("pytest")

    print("== 2. Nothing has changed, but the bank does not answer.\n")
    demo.line.write_text("busy")
    first = demo.run("pytest", expect=1)
    demo.line.write_text("free")

    print("== 3. A commit breaks the sum.\n")
    demo.write("shop/tax.py", BREAKING)
    demo.commit("Raise the tax")
    second = demo.run("pytest", expect=1)

    print("== 4. Is that so? The test is run again, here and on the commits before.\n")
    demo.run("flakefighters", "confirm", "--all")
    proof = demo.run("flakefighters", "bisect", "test_vat")

    print("== What is remembered.\n")
    demo.run("flakefighters", "runs")

    told = [
        ("FLAKY", label_of("tests/test_pay.py::test_pay", first)),
        ("GENUINE", label_of("tests/test_tax.py::test_vat", second)),
    ]
    for right, label in told:
        print(
            f"the {right.lower()} failure was called {label}: {'ok' if label == right else 'WRONG'}"
        )
    return all(label == right for right, label in told) and "Raise the tax" in proof


def main() -> int:
    # A folder that git or a virus scanner still holds must not turn the result round.
    with tempfile.TemporaryDirectory(prefix="shop-", ignore_cleanup_errors=True) as name:
        return 0 if play(Path(name).resolve()) else 1


if __name__ == "__main__":
    sys.exit(main())
