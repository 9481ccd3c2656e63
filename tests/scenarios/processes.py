"""Code that runs elsewhere: children, forks, pools, threads, C code."""

from __future__ import annotations

from functools import partial

from tests.scenarios.builder import BASE, code, swap
from tests.scenarios.registry import changes

_change = partial(changes, topic="processes")
_shaky = partial(changes, topic="processes", flaky_test="test_net.py::test_net")
TAX = BASE["shop/tax.py"]
BROKEN = TAX.replace("net * RATE", "net + RATE")
OTHER = TAX.replace("net + tax(net)", "tax(net) + net")
CHILD = code("""
    import subprocess
    import sys

    def test_tax():
        found = subprocess.run(
            [sys.executable, "-c", "from shop.tax import tax; print(tax(100))"],
            capture_output=True, text=True, check=False,
        )
        assert found.stdout.strip() == "20"
    """)
POOL = code("""
    import multiprocessing

    def work(net):
        from shop.tax import tax
        return tax(net)

    def test_tax():
        with multiprocessing.get_context("METHOD").Pool(1) as pool:
            assert pool.map(work, [100]) == [20]
    """)
WORKER = code("""
    import queue
    import threading

    asked, answers = queue.Queue(), queue.Queue()

    def loop():
        from shop.tax import tax
        while True:
            answers.put(tax(asked.get()))

    threading.Thread(target=loop, daemon=True).start()

    def ask(net):
        asked.put(net)
        return answers.get(timeout=10)
    """)

_change(
    "a_child_process",
    "The changed code runs in a child process.",
    {
        "tests/test_tax.py": CHILD,
    },
    {
        "shop/tax.py": BROKEN,
    },
    or_undecided=True,
)
_change(
    "a_child_by_a_computed_name",
    "What the child runs does not show in the test.",
    {
        "tests/test_tax.py": CHILD.replace("shop.tax import", "shop.{0} import").replace(
            'print(tax(100))"', "print(tax(100))\".format(''.join(['t', 'a', 'x']))"
        ),
    },
    {
        "shop/tax.py": BROKEN,
    },
    or_undecided=True,
)
_change(
    "a_shell_script",
    "A script of another language changed, and is run.",
    {
        "bin/tax.sh": "echo 20\n",
        "tests/test_tax.py": code("""
            import subprocess

            def test_tax():
                assert subprocess.check_output(["sh", "bin/tax.sh"], text=True).strip() == "20"
            """),
    },
    {
        "bin/tax.sh": "echo 7\n",
    },
    or_undecided=True,
)
_change(
    "os_system",
    "A child that is started by os.system.",
    {
        "tests/test_tax.py": code("""
            import os, sys

            def test_tax():
                check = "from shop.tax import tax; assert tax(100) == 20"
                assert os.system(f'{sys.executable} -c "{check}" 2>/dev/null') == 0
            """),
    },
    {
        "shop/tax.py": BROKEN,
    },
    or_undecided=True,
)
_change(
    "os_fork",
    "The changed code runs in a forked child.",
    {
        "tests/test_tax.py": code("""
            import os
            import warnings

            def test_tax():
                from shop.tax import tax
                warnings.simplefilter('ignore')
                pid = os.fork()
                if not pid:
                    os._exit(tax(100))
                assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 20
            """),
    },
    {
        "shop/tax.py": BROKEN,
    },
    or_undecided=True,
)
_change(
    "multiprocessing_fork",
    "The changed code runs in a forked pool.",
    {
        "tests/test_tax.py": POOL.replace("METHOD", "fork"),
    },
    {
        "shop/tax.py": BROKEN,
    },
    or_undecided=True,
)
_change(
    "a_pool_of_the_package",
    "A pool that the package started at import runs the changed code.",
    {
        "shop/pool.py": code("""
            import multiprocessing

            POOL = multiprocessing.get_context('spawn').Pool(1)
            """),
        "tests/test_tax.py": code("""
            from shop import tax
            from shop.pool import POOL

            def test_tax():
                try:
                    assert POOL.apply(tax.tax, (100,)) == 20
                finally:
                    POOL.terminate()
                    POOL.join()
            """),
    },
    {
        "shop/tax.py": BROKEN,
    },
    or_undecided=True,
)
_change(
    "a_thread",
    "The changed code runs in a thread of the test.",
    {
        "tests/test_tax.py": code("""
            import threading
            from shop.tax import tax

            def test_tax():
                found = []
                thread = threading.Thread(target=lambda: found.append(tax(100)))
                thread.start()
                thread.join()
                assert found == [20]
            """),
    },
    {
        "shop/tax.py": BROKEN,
    },
)
_change(
    "a_thread_started_at_import",
    "A thread that was started at import runs the changed code.",
    {
        "shop/worker.py": WORKER,
        "tests/test_tax.py": code("""
            from shop.worker import ask

            def test_tax():
                assert ask(100) == 20
            """),
    },
    {
        "shop/tax.py": BROKEN,
    },
)
_change(
    "a_thread_of_an_earlier_test",
    "A thread started by another test runs the changed code.",
    {
        "shop/worker.py": WORKER.replace(
            "threading.Thread(target=loop, daemon=True).start()\n",
            "def start():\n    threading.Thread(target=loop, daemon=True).start()\n",
        ),
        "tests/test_a.py": code("""
            from shop import worker

            def test_first():
                worker.start()
            """),
        "tests/test_tax.py": code("""
            from shop.worker import ask

            def test_tax():
                assert ask(100) == 20
            """),
    },
    {
        "shop/tax.py": BROKEN,
    },
)
_change(
    "a_callback_of_c_code",
    "C code calls the changed function.",
    {
        "shop/tax.py": code("""
            import ctypes

            def key(a, b):
                return a[0] - b[0]

            def tax(net):
                numbers = (ctypes.c_int * 2)(20, 7)
                pointer = ctypes.POINTER(ctypes.c_int)
                kind = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer)
                ctypes.CDLL(None).qsort(numbers, 2, 4, kind(key))
                return numbers[1]
            """),
    },
    {
        "shop/tax.py": swap("return a[0] - b[0]", "return b[0] - a[0]"),
    },
)
_shaky(
    "a_child_process_and_no_changed_code",
    "The test starts a child; only a text changed.",
    {
        "tests/test_net.py": code("""
            import subprocess, sys

            def test_net():
                check = "from shop.net import fetch; fetch()"
                assert subprocess.run([sys.executable, "-c", check], stderr=-3).returncode == 0
            """),
    },
    {
        "README.md": "a shop\n",
    },
    or_undecided=True,
)
_shaky(
    "another_test_starts_a_child",
    "Another test starts a child, this one does not.",
    {
        "tests/test_tax.py": CHILD,
    },
    {
        "shop/tax.py": OTHER,
    },
)
_change(
    "another_test_could_start_processes",
    "Another test's module imports multiprocessing.",
    {
        "tests/test_tax.py": code("""
            import multiprocessing.process
            from shop.tax import tax

            def test_tax():
                assert tax(100) == 20
            """),
        "tests/test_zone.py": "from shop.net import fetch\n\ndef test_net():\n    fetch()\n",
    },
    {
        "shop/tax.py": OTHER,
    },
    flaky_test="test_zone.py::test_net",
)
