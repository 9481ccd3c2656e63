"""What the history holds of failures like this one: it may confirm and doubt, and never overrule.

Each history is made by real runs: a failure that is proved flaky by a pass on the same state, or
one that a fix has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.scenarios.builder import Content, Repository, Result, code, swap
from tests.scenarios.registry import flaky, genuine, unknowable

__all__ = ["ELSEWHERE", "teach"]

#: A part that fails while the world is in trouble; {body} raises then.
_NET: Final = code("""
    import asyncio, datetime, os, random, socket, threading
    from pathlib import Path

    PLACE = Path(os.environ["COUNTER"])

    def trouble():
        return os.path.exists(os.environ["TROUBLE"])

    def fetch():
    {body}
        return "ok"
    """)
_KINDS: Final[Mapping[str, str]] = {
    "a_service": """
        if trouble():
            port = random.randint(2000, 60000)
            raise ConnectionRefusedError(f"[Errno 111] Connection refused: localhost:{port}")
        """,
    "the_clock": """
        now = datetime.date(2031, 1, 1) if trouble() else datetime.date(2021, 1, 1)
        if now > datetime.date(2030, 12, 31):
            raise ValueError(f"the certificate has expired ({now})")
        """,
    "a_port": """
        with socket.socket() as held, socket.socket() as mine:
            held.bind(("127.0.0.1", 0))
            mine.bind(("127.0.0.1", held.getsockname()[1] if trouble() else 0))
        """,
    "a_file_left_behind": """
        left = PLACE.with_name("left.tmp")
        if trouble():
            left.touch()
        else:
            left.unlink(missing_ok=True)
        left.open("x").close()
        """,
    "an_async_wait": """
        async def wait():
            async with asyncio.timeout(0.02):
                await asyncio.sleep(1 if trouble() else 0)
        asyncio.run(wait())
        """,
    "a_race": """
        found = []
        if trouble():
            threading.Thread(target=found.append, args=[0]).join  # too late
        else:
            found.append(0)
        found[0]
        """,
}
ELSEWHERE: Final[Mapping[str, Content]] = {"shop/text.py": swap("text.title()", "str.title(text)")}
_IN_THE_WAY: Final[Mapping[str, Content]] = {
    "shop/net.py": swap('    return "ok"', '    return "o" + "k"')
}
_CONTESTED: Final = "though it failed alike in 1 earlier run, then flaky"


def _net(body: str) -> str:
    lines = code(body.strip("\n")).rstrip().splitlines()
    return _NET.replace("{body}", "\n".join(f"    {line}" for line in lines))


def teach(
    repo: Repository, *args: str, times: int = 1, failing: Callable[[], object] | None = None
) -> None:
    """So often the test fails by chance, each time on a state of its own, on which it passes."""
    for number in range(times):
        repo.commit({"NOTES": f"{number}\n"})
        if failing is None:
            repo.fails(*args, trouble=True)
        else:
            failing()
        repo.passes(*args)


def _two(name: str, body: str) -> None:
    def elsewhere(repo: Repository) -> Result:
        repo.start({"shop/net.py": _net(body)})
        teach(repo)
        repo.commit(ELSEWHERE)
        return repo.run(trouble=True)

    def in_the_way(repo: Repository) -> Result:
        repo.start({"shop/net.py": _net(body)})
        teach(repo)
        repo.commit(_IN_THE_WAY)
        return repo.run(trouble=True)

    what = name.replace("_", " ")
    for play in (elsewhere, in_the_way):
        play.__module__ = __name__
    elsewhere.__name__, in_the_way.__name__ = f"{name}_again", f"{name}_again_in_changed_code"
    elsewhere.__doc__ = f"The trouble is {what}, as once before; the change is elsewhere."
    in_the_way.__doc__ = f"The trouble is {what}, as before, but the test runs what changed."
    flaky(says="since it last passed")(elsewhere)
    # It is flaky, and only the history hints at it: that a change was touched is stronger.
    unknowable("test_net.py::test_net", right=("genuine",), wrong=("flaky",), says=_CONTESTED)(
        in_the_way
    )


for _name, _body in _KINDS.items():
    _two(_name, _body)


# -- flaky, in a test that runs what changed: what settles it ----------------------------------


@flaky(says="passed on the same state")
def a_known_failure_in_changed_code_that_passed_on_this_state(repo: Repository) -> Result:
    """It runs what changed, but on this very state it has passed."""
    repo.start()
    teach(repo)
    repo.commit({"shop/net.py": swap('return "ok"', 'return "o" + "k"')})
    repo.passes()
    return repo.run(trouble=True)


_ONCE: Final = """
    if os.environ.get("SHAKE") and not PLACE.exists():
        PLACE.touch()
        raise ConnectionError("connection reset by peer")
    """


@flaky(says="passed in attempt 2 of this run")
def a_known_failure_in_changed_code_that_passes_when_run_again(repo: Repository) -> Result:
    """It runs what changed, and the next attempt passes; so it did in the history."""
    repo.start({"shop/net.py": _net(_ONCE)})
    repo.env["SHAKE"] = "1"
    repo.commit({"NOTES": "0\n"})
    repo.passes("--flakefighters-reruns=1")
    (repo.outside / "counter").unlink()
    repo.commit(_IN_THE_WAY)
    return repo.run("--flakefighters-reruns=1")


@unknowable("test_net.py::test_net", right=("genuine",), wrong=("flaky",), says="though it failed")
def a_test_that_failed_on_many_states_in_changed_code(repo: Repository) -> Result:
    """It failed by chance on four earlier states, and runs what changed."""
    repo.start()
    teach(repo, times=4)
    repo.commit({"shop/net.py": swap('return "ok"', 'return "o" + "k"')})
    return repo.run(trouble=True)


# -- a genuine bug that looks like a flaky failure ---------------------------------------------

#: The tax is 0 while the world is in trouble.
_TAX: Final = code("""
    import os

    RATE = 20

    def rate():
        return RATE

    def tax(net):
        if os.path.exists(os.environ["TROUBLE"]):
            return 0
        return net * rate() // 100
    """)
_NO_RATE: Final[Mapping[str, Content]] = {"shop/tax.py": swap("return RATE", "return 0")}


@genuine(says="though it failed alike in 1 earlier run, then flaky")
def a_bug_that_looks_like_a_flaky_failure(repo: Repository) -> Result:
    """The assertion of the test failed with the same values before, by chance."""
    repo.start({"shop/tax.py": _TAX})
    teach(repo)
    repo.commit(_NO_RATE)
    return repo.run()


@genuine(says="though it failed")
def a_bug_that_looks_like_many_flaky_failures(repo: Repository) -> Result:
    """The same on four states: every statistic there is says flaky."""
    repo.start({"shop/tax.py": _TAX})
    teach(repo, times=4)
    repo.commit(_NO_RATE)
    return repo.run()


@genuine()
def a_bug_that_looks_flaky_and_is_run_again(repo: Repository) -> Result:
    """It fails in every attempt, as the flaky failure did not."""
    repo.start({"shop/tax.py": _TAX})
    teach(repo, times=2)
    repo.commit(_NO_RATE)
    return repo.run("--flakefighters-reruns=1")


@genuine(or_undecided=True)
def a_bug_in_doubt_that_looks_flaky(repo: Repository) -> Result:
    """The name of what changed is computed, so that a doubt is all that is seen of it."""
    tax = _TAX.replace(
        "return net * rate() // 100", 'return net * getattr(rates, "RA" + end()) // 100'
    )
    tax = tax.replace(
        "import os\n", "import os\n\nfrom shop import rates\n\n\ndef end():\n    return 'TE'\n"
    )
    repo.start({"shop/tax.py": tax, "shop/rates.py": "RATE = 20\n"})
    teach(repo, times=2)
    repo.commit({"shop/rates.py": "RATE = 0\n"})
    return repo.run()


@genuine(or_undecided=True)
def a_bug_in_a_data_file_that_looks_flaky(repo: Repository) -> Result:
    """A library that reads in C hides which data file the test needs."""
    tax = code("""
        import os, sqlite3
        from pathlib import Path

        def rate():
            with sqlite3.connect(":memory:") as base:
                return base.execute("SELECT 20").fetchone()[0] * HAS

        def tax(net):
            if os.path.exists(os.environ["TROUBLE"]):
                return 0
            return net * rate() // 100

        HAS = int(Path(__file__).with_name("has").read_text())
        """)
    repo.start({"shop/tax.py": tax, "shop/has": "1\n"})
    teach(repo, times=2)
    repo.commit({"shop/has": "0\n"})
    return repo.run()


@genuine(or_undecided=True)
def a_bug_of_a_distribution_that_looks_flaky(repo: Repository) -> Result:
    """An upgrade breaks what failed by chance before."""
    tax = _TAX.replace("import os\n", "import os\n\nimport rates\n").replace(
        "return RATE", "return rates.RATE"
    )
    repo.site("rates", "1.0", {"rates.py": "RATE = 20\n"})
    repo.start({"shop/tax.py": tax})
    teach(repo, times=2)
    repo.site("rates", "2.0", {"rates.py": "RATE = 0\n"})
    return repo.run()


@genuine(says="failing alike since")
def a_bug_that_is_met_again(repo: Repository) -> Result:
    """The same failure twice, with another commit between: still the same bug."""
    repo.start({"shop/tax.py": _TAX})
    repo.commit(_NO_RATE)
    repo.fails()
    repo.commit({"NOTES": "later\n"})
    return repo.run()


@genuine(or_undecided=True)
def a_bug_that_comes_back_after_its_fix(repo: Repository) -> Result:
    """A fix ended the failure once, so it was genuine; an edit brings it back."""
    repo.start({"shop/tax.py": _TAX})
    repo.commit(_NO_RATE)
    repo.fails()
    repo.commit({"shop/tax.py": swap("return 0\n\ndef tax", "return RATE\n\ndef tax")})
    repo.passes()
    repo.commit(_NO_RATE)
    return repo.run()


def _child(repo: Repository) -> None:
    """A test that starts a program of the project and imports nothing of it."""
    tests = code("""
        import subprocess, sys

        PARTS = ["shop", "tax"]

        def test_tax():
            name = ".".join(PARTS)
            done = subprocess.run([sys.executable, "-m", name], capture_output=True, text=True)
            assert done.stdout == "20"
        """)
    repo.start({"shop/tax.py": f"{_TAX}\nprint(tax(100), end='')\n", "tests/test_tax.py": tests})
    teach(repo, times=2)


@genuine(or_undecided=True)
def a_bug_in_a_child_process_that_looks_flaky(repo: Repository) -> Result:
    """No import leads to what the child process ran."""
    _child(repo)
    repo.commit(_NO_RATE)
    return repo.run()


@genuine(or_undecided=True)
def a_bug_in_a_child_process_that_looks_flaky_unwatched(repo: Repository) -> Result:
    """The same where nothing is watched."""
    repo.options.append("--flakefighters-trace=off")
    _child(repo)
    repo.commit(_NO_RATE)
    return repo.run()


@genuine(or_undecided=True)
def a_bug_in_a_data_file_that_looks_flaky_unwatched(repo: Repository) -> Result:
    """A test reads a file that changed, and nothing is watched."""
    tax = _TAX.replace("return RATE", 'return int(Path("rate.txt").read_text())')
    repo.options.append("--flakefighters-trace=off")
    repo.start({"shop/tax.py": f"from pathlib import Path\n{tax}", "rate.txt": "20\n"})
    teach(repo, times=2)
    repo.commit({"rate.txt": "0\n"})
    return repo.run()


@genuine(or_undecided=True)
def a_bug_that_an_earlier_test_leaves_and_that_looks_flaky(repo: Repository) -> Result:
    """An earlier test runs what changed, and leaves a variable behind that this one reads."""
    tax = _TAX.replace("return RATE", 'return int(os.environ.get("RATE", "20"))')
    mess = "import os\n\ndef spoil():\n    os.environ['RATE'] = '20'\n"
    test = "from shop.mess import spoil\n\ndef test_a():\n    spoil()\n"
    repo.start({"shop/tax.py": tax, "shop/mess.py": mess, "tests/test_a.py": test})
    teach(repo, times=2)
    repo.commit({"shop/mess.py": swap("'20'", "'0'")})
    return repo.run()


@genuine("README.rst::README.rst")
def a_bug_in_an_example_that_is_run_again(repo: Repository) -> Result:
    """The second attempt of a doctest must not find the names that the first one left."""
    example = code("""
        >>> "seen" in globals()
        False
        >>> seen = 1
        >>> from shop.tax import tax
        >>> tax(100)
        20
        """)
    repo.options += ["--doctest-glob=*.rst", "--flakefighters-reruns=1"]
    repo.start({"shop/tax.py": _TAX, "README.rst": example})
    repo.commit(_NO_RATE)
    return repo.run()
