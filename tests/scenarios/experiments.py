"""Failures on trial: every kind of flakiness that people know, and changes that look like one.

Each kind is played twice: in a test that does not run what changed, and in one that does, where
reading alone must call it genuine.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.scenarios.builder import Content, Repository, Result, code, swap
from tests.scenarios.registry import flaky, genuine, unknowable

ALL = "--flakefighters-confirm=all"

#: How a function of the shop is flaky; {body} returns True where it is in trouble.
_NET = code("""
    import os, random, socket, sys, time
    from pathlib import Path

    PLACE = Path(os.environ["COUNTER"])
    SEEN = []

    def first():
        # The first process that asks is in trouble, the next ones are not.
        if PLACE.exists():
            return False
        PLACE.write_text("")
        return True

    def trouble():
    {body}

    def fetch():
        if os.environ.get("SHAKE") and trouble():
            raise ConnectionError("connection reset by peer")
        return "ok"
    """)
#: Gone the next time.
_PASSING: Mapping[str, str] = {
    "a_service_that_was_down": "return first()",
    "a_number_drawn_anew": "return first() or random.random() < 0",
    "two_threads_in_a_rare_order": (
        "import threading\n"
        "    late = []\n"
        "    thread = threading.Thread(target=lambda: late.append(first()))\n"
        "    thread.start()\n"
        "    thread.join()\n"
        "    return late[0]"
    ),
    "a_port_that_was_held": (
        "holder = socket.socket()\n"
        "    holder.bind(('127.0.0.1', 0))\n"
        "    holder.listen()\n"
        "    port = holder.getsockname()[1] if first() else 1\n"
        "    with socket.socket() as mine:\n"
        "        return mine.connect_ex(('127.0.0.1', port)) == 0"
    ),
}
_TESTS = code("""
    from shop.net import fetch

    def test_beside():
        assert fetch

    def test_net():
        assert fetch() == "ok"
    """)
_ELSEWHERE = {"shop/text.py": "def title(text):\n    return text.title() + ''\n"}
_IN_THE_WAY = {"shop/net.py": swap('    return "ok"', '    return "o" + "k"')}


def _kind(name: str, body: str, change: Mapping[str, Content], where: str, says: str) -> None:
    net = _NET.format(body=body if body.startswith(" ") else f"    {body}")

    def play(repo: Repository) -> Result:
        repo.start({"shop/net.py": net, "tests/test_net.py": _TESTS})
        repo.commit(change)
        repo.env["SHAKE"] = "1"
        return repo.run(ALL)

    play.__name__ = f"{name}_{where}"
    play.__doc__ = f"The trouble is {name.replace('_', ' ')}, in a test that runs {where}."
    play.__module__ = __name__
    flaky(says=says)(play)


for _name, _body in _PASSING.items():
    _kind(_name, _body, _ELSEWHERE, "no_change", "passed alone on the same state")
    _kind(_name, _body, _IN_THE_WAY, "the_change", "passed alone on the same state")


_MESS = code("""
    from shop import text

    def test_first():
        {mess}

    def test_third():
        pass

    def test_second():
        assert text.title("a b") == "A B"
    """)
_PATCHES = "text.title = str.upper"


@flaky("test_mess.py::test_second", says="with or without the change")
def an_order_that_no_run_had_before(repo: Repository) -> Result:
    """A test fails after another one that it never ran after; the change is elsewhere."""
    files = {"tests/test_mess.py": _MESS.format(mess=_PATCHES.replace("str.upper", "str.lower"))}
    repo.save({"pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n'})
    repo.save({**files, "shop/__init__.py": "", "shop/text.py": "title = str.title\n"})
    repo.passes("tests/test_mess.py::test_second")
    repo.passes("tests/test_mess.py", "-k", "not second")
    repo.passes("tests/test_mess.py::test_second", "tests/test_mess.py::test_third")
    repo.commit({"README": "read me\n"})
    return repo.run(ALL)


@genuine("test_mess.py::test_second", says="since")
def a_change_that_makes_an_earlier_test_leave_a_mess(repo: Repository) -> Result:
    """The changed test leaves a patch behind; the failing one did not change."""
    repo.start({"tests/test_mess.py": _MESS.format(mess="pass")})
    repo.commit({"tests/test_mess.py": _MESS.format(mess=_PATCHES.replace("upper", "lower"))})
    return repo.run(ALL)


@genuine("test_mess.py::test_second", says="after the tests before it, and not here")
def a_test_that_sets_up_what_another_needs_is_gone(repo: Repository) -> Result:
    """By itself the failing test fails on every state."""
    needs = code("""
        import os

        def test_first():
            os.environ["SET_UP"] = "1"

        def test_third():
            pass

        def test_second():
            assert os.environ.get("SET_UP")
        """)
    repo.start({"tests/test_mess.py": needs})
    repo.commit({"tests/test_mess.py": needs.replace('    os.environ["SET_UP"] = "1"', "    pass")})
    return repo.run(ALL)


@genuine(says="and fails here")
def a_change_that_breaks_the_sum(repo: Repository) -> Result:
    """Nothing is flaky here."""
    repo.start()
    repo.commit({"shop/tax.py": swap("net * RATE // 100", "net * RATE // 10")})
    return repo.run(ALL)


@genuine(says="and fails here")
def a_change_that_fails_in_another_way_than_flaky_tests_do(repo: Repository) -> Result:
    """A connection error, but one that the commit made."""
    broken = 'raise ConnectionError("connection reset by peer")\n    return net'
    repo.start()
    repo.commit({"shop/tax.py": swap("return net * RATE // 100", broken)})
    return repo.run(ALL)


@genuine(or_undecided=True)
def a_change_that_fails_now_and_then(repo: Repository) -> Result:
    """The commit brings a race that is lost the first three times: only luck could tell."""
    counting = code("""
        import os
        from pathlib import Path

        RATE = 20

        def tax(net):
            place = Path(os.environ["COUNTER"])
            seen = int(place.read_text() or 0) if place.exists() else 0
            place.write_text(str(seen + 1))
            return net * RATE // 100 if seen > 9 else 0

        def gross(net):
            return net + tax(net)
        """)
    repo.start()
    repo.commit({"shop/tax.py": counting})
    return repo.run(ALL)


@unknowable("test_net.py::test_net", right=("undecided", "flaky"), wrong=("genuine",))
def a_service_that_stays_down_without_another_test(repo: Repository) -> Result:
    """It fails on the state before as well, and no test shows that the copy is fit."""
    repo.save({"pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["."]\n'})
    down = code("""
        import os

        def test_net():
            assert not os.environ["TROUBLE"] or not os.path.exists(os.environ["TROUBLE"])
        """)
    repo.save({"tests/test_net.py": down})
    repo.passes()
    repo.commit({"README": "read me\n"})
    return repo.run(ALL, trouble=True)


@flaky(says="not the change")
def a_service_that_stays_down(repo: Repository) -> Result:
    """It fails on the state before in the same way, where another test passes."""
    repo.start()
    repo.commit({"shop/net.py": swap('return "ok"', 'return "o" + "k"')})
    return repo.run(ALL, trouble=True)


@genuine(or_undecided=True)
def a_dependency_that_was_upgraded(repo: Repository) -> Result:
    """The state before fails as well, since what was upgraded is a change of its own."""
    repo.site("rates", "1.0", {"rates.py": "RATE = 20\n"})
    repo.start(
        {"shop/tax.py": "import rates\n\n\ndef tax(net):\n    return net * rates.RATE // 100\n"}
    )
    repo.site("rates", "2.0", {"rates.py": "RATE = 30\n"})
    repo.commit({"README": "read me\n"})
    return repo.run(ALL)


@genuine(or_undecided=True)
def a_generated_module_made_from_what_changed(repo: Repository) -> Result:
    """A table that git ignores is made from what changed; a copy of the state before has it."""
    repo.start(
        {
            ".gitignore": "table.dat\ntable_made.py\n",
            "rates.txt": "20\n",
            "shop/tax.py": code("""
                def tax(net):
                    import table_made

                    return net * table_made.RATE // 100
                """),
            "conftest.py": code("""
                from pathlib import Path

                def pytest_configure():
                    here = Path(__file__).parent
                    made = here / "table_made.py"
                    if not made.exists():
                        made.write_text("RATE = " + (here / "rates.txt").read_text())
                """),
        }
    )
    (repo.root / "table_made.py").unlink()
    repo.commit({"rates.txt": "30\n"})
    return repo.run(ALL)


# -- acted upon: reruns, the exit code, quarantine, reports for programs -----------------------

_SHAKY = _NET.format(body="    return first()")


def _shaky(repo: Repository, change: Mapping[str, Content]) -> None:
    """A test that fails once from now on, after this commit."""
    repo.start({"shop/net.py": _SHAKY, "tests/test_net.py": _TESTS})
    repo.commit(change)
    repo.env["SHAKE"] = "1"


@flaky(says="passed in attempt 2 of this run")
def a_rerun_that_passes(repo: Repository) -> Result:
    """The test is run again in the same session; the last attempt decides how the run ends."""
    _shaky(repo, _ELSEWHERE)
    result = repo.run("--flakefighters-reruns=2")
    assert result.exit_code == 0, result.text
    return result


@genuine()
def a_rerun_does_not_help_a_broken_test(repo: Repository) -> Result:
    """It fails in every attempt."""
    repo.start()
    repo.commit({"shop/tax.py": swap("net * RATE // 100", "net * RATE // 10")})
    result = repo.run("--flakefighters-reruns=2")
    assert result.exit_code == 1, result.text
    return result


@flaky()
def a_flaky_failure_is_left_out_of_the_exit_code(repo: Repository) -> Result:
    """A trial proves it flaky, and the change is elsewhere."""
    _shaky(repo, _ELSEWHERE)
    result = repo.run(ALL, "--flakefighters-suppress")
    assert result.exit_code == 0, result.text
    return result


@flaky()
def a_flaky_failure_of_changed_code_is_not(repo: Repository) -> Result:
    """A trial proves it flaky, but the test ran what changed: perhaps that made it so."""
    _shaky(repo, _IN_THE_WAY)
    result = repo.run(ALL, "--flakefighters-suppress")
    assert result.exit_code == 1, result.text
    return result


@genuine()
def a_genuine_failure_is_never_left_out(repo: Repository) -> Result:
    """Neither by trials nor by a quarantine."""
    repo.start()
    repo.command("quarantine", "add", "tests/test_tax.py::test_tax")
    repo.commit({"shop/tax.py": swap("net * RATE // 100", "net * RATE // 10")})
    result = repo.run(ALL, "--flakefighters-suppress", "--flakefighters-quarantine=enforce")
    assert result.exit_code == 1, result.text
    return result


@flaky()
def a_quarantined_test_does_not_fail_the_run(repo: Repository) -> Result:
    """It is flaky, and known to be."""
    _shaky(repo, _ELSEWHERE)
    repo.command("quarantine", "add", "tests/test_net.py::test_net", "--reason", "the network")
    result = repo.run(ALL, "--flakefighters-quarantine=enforce")
    assert result.exit_code == 0, result.text
    return result


@flaky()
def programs_are_told_the_same(repo: Repository) -> Result:
    """The JSON file has the verdict that the terminal shows."""
    _shaky(repo, _ELSEWHERE)
    told = repo.outside / "run.json"
    result = repo.run(ALL, f"--flakefighters-json={told}")
    label, reason = result.verdict("test_net.py::test_net")
    assert label is not None
    text = told.read_text("utf-8")
    assert f'"{label}"' in text
    assert reason in text
    return result
