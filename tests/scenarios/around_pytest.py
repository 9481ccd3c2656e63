"""What runs before or around the tests: early plugins, steering files, retries, the process."""

from __future__ import annotations

import socket
import sys

import pytest

from tests.scenarios.builder import Content, Repository, Result, code, swap
from tests.scenarios.registry import flaky, genuine, unknowable

# -- code that ran before plugins were loaded ----------------------------------------------------

_RATE: dict[str, Content] = {
    "rates.py": "def rate():\n    return 20\n",
    "plug.py": code("""
        import pytest
        import rates

        RATE = rates.rate()

        @pytest.fixture
        def rate():
            return RATE
        """),
    "tests/test_rate.py": "def test_rate(rate):\n    assert rate == 20\n",
}
_SEVEN = swap("return 20", "return 7")
#: Plugins of this environment that would change the run where plugins are found by entry points.
_QUIET = ("randomly", "flaky", "rerunfailures", "socket", "asyncio", "flakefighters")


@genuine("test_rate.py::test_rate")
def a_plugin_in_a_variable(repo: Repository) -> Result:
    """PYTEST_PLUGINS names a plugin that calls the changed function when it is imported."""
    repo.env["PYTEST_PLUGINS"] = "plug"
    repo.start(_RATE)
    repo.commit({"rates.py": _SEVEN})
    return repo.run()


@genuine("test_rate.py::test_rate")
def a_plugin_in_an_option(repo: Repository) -> Result:
    """The same plugin is named with -p."""
    repo.options += ["-p", "plug"]
    repo.start(_RATE)
    repo.commit({"rates.py": _SEVEN})
    return repo.run()


def _entry_point(repo: Repository, files: dict[str, Content]) -> None:
    repo.env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = ""
    for name in _QUIET:
        repo.options += ["-p", f"no:{name}"]
    info = "aplug-1.0.dist-info"
    repo.start(
        {
            f"{info}/METADATA": "Metadata-Version: 2.1\nName: aplug\nVersion: 1.0\n",
            f"{info}/entry_points.txt": "[pytest11]\naplug = aplug\n",
            f"{info}/RECORD": "aplug.py,,\n",
            **files,
        }
    )


@genuine("test_rate.py::test_rate")
def a_fixture_of_a_project_that_is_a_plugin(repo: Repository) -> Result:
    """The project itself is a pytest plugin, found by its entry point."""
    plugin = "import pytest\n\n@pytest.fixture\ndef rate():\n    return 20\n"
    _entry_point(repo, {"aplug.py": plugin, "tests/test_rate.py": _RATE["tests/test_rate.py"]})
    repo.commit({"aplug.py": _SEVEN})
    return repo.run()


@genuine("test_rate.py::test_rate")
def an_option_of_a_project_that_is_a_plugin(repo: Repository) -> Result:
    """The plugin's option has another default; the hook ran before any other plugin's."""
    plugin = "def pytest_addoption(parser):\n    parser.addoption('--rate', default='20')\n"
    test = "def test_rate(request):\n    assert request.config.getoption('--rate') == '20'\n"
    _entry_point(repo, {"aplug.py": plugin, "tests/test_rate.py": test})
    repo.commit({"aplug.py": swap("'20'", "'7'")})
    return repo.run()


@flaky(or_undecided=True)
def an_option_that_the_test_does_not_ask_for(repo: Repository) -> Result:
    """The same; the failing test does not look at the option."""
    plugin = "def pytest_addoption(parser):\n    parser.addoption('--rate', default='20')\n"
    _entry_point(repo, {"aplug.py": plugin})
    repo.commit({"aplug.py": swap("'20'", "'7'")})
    return repo.run(trouble=True)


@genuine("test_rate.py::test_rate")
def a_sitecustomize_that_imports_the_project(repo: Repository) -> Result:
    """Python itself imports the project's module when it starts."""
    repo.site("startlib", "1.0", {"sitecustomize.py": "import rates\n\nRATE = rates.rate()\n"})
    repo.paths.append(repo.root)
    test = "import sitecustomize\n\ndef test_rate():\n    assert sitecustomize.RATE == 20\n"
    repo.start({**_RATE, "tests/test_rate.py": test})
    repo.commit({"rates.py": _SEVEN})
    return repo.run()


@genuine("test_rate.py::test_rate", or_undecided=True)
def an_early_plugin_that_sets_what_no_text_names(repo: Repository) -> Result:
    """A plugin alters a module of Python's when it is loaded; the name is put together."""
    repo.env["PYTEST_PLUGINS"] = "plug"
    plug = "import builtins\n\nsetattr(builtins, '_'.join(['vat', 'rate']), 20)\n"
    test = "import builtins\n\ndef test_rate():\n"
    test += "    assert getattr(builtins, '_'.join(['vat', 'rate'])) == 20\n"
    repo.start({"plug.py": plug, "tests/test_rate.py": test})
    repo.commit({"plug.py": swap("20", "7")})
    return repo.run()


@flaky(or_undecided=True)
def an_early_plugin_and_an_unrelated_failure(repo: Repository) -> Result:
    """A plugin called the changed function before the tests; the failing one has no use of it."""
    repo.env["PYTEST_PLUGINS"] = "plug"
    repo.start(_RATE)
    repo.commit({"rates.py": swap("return 20", "return 10 + 10")})
    return repo.run(trouble=True)


# -- files that steer how tests are started ------------------------------------------------------

_STEERING = {
    "tox": ("tox.ini", "[testenv]\nsetenv =\n    RATE = {rate}\n"),
    "workflow": (".github/workflows/ci.yml", "env:\n  RATE: {rate}\n"),
    "gitlab": (".gitlab-ci.yml", "variables:\n  RATE: {rate}\n"),
    "nox": ("noxfile.py", "def tests(session):\n    session.env['RATE'] = '{rate}'\n"),
    "make": ("Makefile", "test:\n\tRATE={rate} python -m pytest\n"),
    "compose": ("docker-compose.yml", "services:\n  test:\n    environment: [RATE={rate}]\n"),
    "dotenv": (".env", "RATE={rate}\n"),
}


def _add_steering(name: str) -> None:
    def play(repo: Repository) -> Result:
        path, text = _STEERING[name]
        test = "import os\n\ndef test_rate():\n    assert os.environ.get('RATE', '20') == '20'\n"
        repo.start({path: text.format(rate=20), "tests/test_rate.py": test})
        repo.commit({path: text.format(rate=7)})
        return repo.run(env={"RATE": "7"})

    play.__name__ = f"a_steering_file_{name}"
    play.__doc__ = f"The file that starts the tests ({name}) sets a variable that a test reads."
    genuine("test_rate.py::test_rate", or_undecided=True)(play)


for _name in _STEERING:
    _add_steering(_name)


@flaky("test_y.py::test_y")
def a_steering_file_and_no_look_at_variables(repo: Repository) -> Result:
    """A workflow changes; the failing test reads no variable of the environment."""
    workflow = ".github/workflows/ci.yml"
    switch = repo.outside / "switch"
    test = "from pathlib import Path\n\ndef test_y():\n"
    test += f"    assert not Path({str(switch)!r}).exists()\n"
    repo.start({workflow: "env:\n  RATE: 20\n", "tests/test_y.py": test})
    repo.commit({workflow: "env:\n  RATE: 7\n"})
    switch.touch()
    return repo.run("tests/test_y.py")


# -- environments that are the same --------------------------------------------------------------


@flaky()
def a_time_zone_by_another_name(repo: Repository) -> Result:
    """TZ=UTC is set where it was not, on a machine whose clock is in UTC."""
    repo.env["TZ"] = "Etc/UTC"
    repo.start()
    repo.commit({"notes.txt": "x\n"})
    repo.env["TZ"] = "UTC"
    return repo.run(trouble=True)


@flaky(or_undecided=True)
def an_upgraded_dependency_of_pytest(repo: Repository) -> Result:
    """Nobody pinned a library that pytest itself imports, and it was upgraded."""
    for version in ("2.8.0", "2.8.1"):
        (repo.outside / version / f"iniconfig-{version}.dist-info").mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: iniconfig\nVersion: {version}\n"
        (repo.outside / version / f"iniconfig-{version}.dist-info/METADATA").write_text(metadata)
    repo.paths = [repo.outside / "2.8.0"]
    repo.start()
    repo.commit({"notes.txt": "x\n"})
    repo.paths = [repo.outside / "2.8.1"]
    return repo.run(trouble=True)


@flaky()
def a_shuffling_plugin_that_is_off(repo: Repository) -> Result:
    """A plugin is installed that would shuffle the tests if it was asked to."""
    plugin = code("""
        import random

        def pytest_addoption(parser):
            parser.addoption("--random-order", action="store_true")
            parser.addoption("--random-order-seed", default=str(random.randint(1, 1000000)))
        """)
    repo.site("pytest-random-order", "1.2.0", {"random_order.py": plugin})
    repo.options += ["-p", "random_order"]
    repo.start()
    repo.commit({"notes.txt": "x\n"})
    return repo.run(trouble=True)


# -- attempts ------------------------------------------------------------------------------------

_SUBTESTS = code("""
    import unittest

    from shop.tax import tax

    class TestTax(unittest.TestCase):
        def test_tax(self):
            with self.subTest("one"):
                self.assertEqual(tax(100), 20)
    """)
_RETRY = code("""
    from _pytest.runner import call_and_report

    def pytest_runtest_protocol(item, nextitem):
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        call_and_report(item, "setup")
        first = call_and_report(item, "call", log=False)
        if first.failed:
            first.outcome = "retried"
            hook.pytest_runtest_logreport(report=first)
            first = call_and_report(item, "call", log=False)
        hook.pytest_runtest_logreport(report=first)
        call_and_report(item, "teardown", nextitem=nextitem)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_report_teststatus(report):
        if report.outcome == "retried":
            return "retried", "R", "RETRIED"
    """)


@genuine("test_sub.py::TestTax::test_tax")
def a_subtest_that_fails_in_its_only_attempt(repo: Repository) -> Result:
    """pytest-rerunfailures reports an attempt when it is over, but subtests at once."""
    repo.options += ["-p", "pytest_rerunfailures"]
    repo.start({"tests/test_sub.py": _SUBTESTS})
    repo.commit({"shop/tax.py": swap("RATE = 20", "RATE = 7")})
    return repo.run("tests/test_sub.py")


@genuine("test_sub.py::TestTax::test_tax")
def a_subtest_that_fails_in_every_attempt(repo: Repository) -> Result:
    """The same with a rerun, which fails as well."""
    repo.options += ["-p", "pytest_rerunfailures", "--reruns=1"]
    repo.start({"tests/test_sub.py": _SUBTESTS})
    repo.commit({"shop/tax.py": swap("RATE = 20", "RATE = 7")})
    return repo.run("tests/test_sub.py")


@flaky("test_count.py::test_count")
def a_call_that_is_tried_again(repo: Repository) -> Result:
    """As with pytest-retry, the call alone is repeated within one setup, and passes."""
    test = code("""
        import os
        from pathlib import Path

        from shop.tax import tax

        def test_count():
            tax(100)
            count = Path(os.environ["COUNTER"])
            seen = int(count.read_text()) if count.exists() else 0
            count.write_text(str(seen + 1))
            assert seen != 1
        """)
    repo.start({"conftest.py": _RETRY, "tests/test_count.py": test})
    repo.commit({"shop/tax.py": swap("net * RATE", "RATE * net")})
    return repo.run("tests/test_count.py")


# -- monitoring ids ------------------------------------------------------------------------------


@unknowable("test_ids.py::test_after", right=("genuine", "undecided"), wrong=("flaky",))
def all_monitoring_ids_given_up(repo: Repository) -> Result:
    """A test frees all ids of ``sys.monitoring``; the next one runs a changed function."""
    if sys.version_info < (3, 12):
        pytest.skip("no sys.monitoring")
    test = code("""
        import sys

        from shop.tax import tax

        def test_free():
            for number in range(6):
                if sys.monitoring.get_tool(number) is not None:
                    sys.monitoring.free_tool_id(number)

        def test_after():
            assert tax(100) == 20
        """)
    repo.start({"tests/test_ids.py": test})
    repo.commit({"shop/tax.py": swap("RATE = 20", "RATE = 7")})
    return repo.run()


# -- what an earlier test leaves -----------------------------------------------------------------

_POLLUTERS = {
    "a_file": (
        "open(os.path.join(os.path.dirname(__file__), 'left.db'), 'w').close()",
        "assert not os.path.exists(os.path.join(os.path.dirname(__file__), 'left.db'))",
    ),
    "a_class_of_the_library": (
        "json.JSONEncoder.item_separator = '#'",
        "assert json.dumps([1, 2]) == '[1, 2]'",
    ),
    "vars_of_a_module": (
        "vars(json).update(dumps=str)",
        "assert json.dumps('a') == '\"a\"'",
    ),
    "an_open_port": (
        "server = socket.create_server(('127.0.0.1', {port})); _keep.append(server)",
        "socket.create_server(('127.0.0.1', {port})).close()",
    ),
    "a_recursion_limit": (
        "sys.setrecursionlimit(4000)",
        "assert sys.getrecursionlimit() == 1000",
    ),
}


def _add_polluter(name: str) -> None:
    def play(repo: Repository) -> Result:
        head = "import json\nimport os\nimport socket\nimport sys\n\n_keep = []\n\n"
        port = _free_port()
        polluting, looking = (text.format(port=port) for text in _POLLUTERS[name])
        repo.start(
            {
                "test_a.py": f"{head}def test_a():\n    assert True\n",
                "test_b.py": f"{head}def test_b():\n    {looking}\n",
            }
        )
        repo.commit({"test_a.py": f"{head}def test_a():\n    {polluting}\n"})
        return repo.run("test_a.py", "test_b.py")

    play.__name__ = f"left_by_an_earlier_test_{name}"
    play.__doc__ = f"An earlier test, which is changed, leaves {name} that the failing one meets."
    genuine("test_b.py::test_b", or_undecided=True)(play)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


for _name in _POLLUTERS:
    _add_polluter(_name)
