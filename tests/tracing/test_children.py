"""Child processes, through a real pytest run."""

from __future__ import annotations

import sys
from typing import Any


def test_children(project: Any) -> None:
    project.changed("shop.py", "def tax(): pass\n")
    project.write(
        "test_a.py",
        """
        import multiprocessing, os, subprocess, sys, pytest

        def test_nothing(): pass
        def test_run(): subprocess.run(["true", "--password=hunter2"])
        def test_shell(): subprocess.run("true hunter2", shell=True)
        def test_system(): os.system("true hunter2")
        def test_spawn(): os.waitpid(os.posix_spawn("/bin/true", ["true", "hunter2"], {}), 0)
        def test_fork():
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
        def test_process():
            process = multiprocessing.get_context("spawn").Process(target=print)
            process.start()
            process.join()
        def test_after(): pass

        @pytest.fixture(scope="module")
        def server():
            process = subprocess.Popen(["sleep", "60"])
            yield
            process.kill()
            process.wait()
        def test_server(server): pass
        def test_server_too(server): pass
        def test_beside(): pass
        """,
    )
    outcome = project.run("-W", "ignore", expect=(0,))
    expected: dict[str, set[str]] = {
        "nothing": set(),
        "run": {"subprocess.Popen true"},
        "shell": {"subprocess.Popen sh"},
    }
    expected |= {"system": {"os.system"}, "spawn": {"os.posix_spawn true"}, "fork": {"os.fork"}}
    expected |= {"process": {"multiprocessing.Process"}, "after": set()}
    expected |= {"server": {"subprocess.Popen sleep", "still running: sleep"}}
    expected |= {"server_too": expected["server"], "beside": {"still running: sleep"}}
    for name, children in expected.items():
        reports = next(r for nodeid, r in outcome.tests.items() if nodeid.endswith(f"test_{name}"))
        found = reports[1][1].children  # before the teardown
        if sys.platform == "linux":
            # 3.13 starts some children by posix_spawn and tells of both.
            assert {child for child in found if " sh" not in child or "Popen" in child} == children
    after = outcome.trace("test_after")
    known = after.before(after.process.children)
    assert {"subprocess.Popen true", "os.system", "multiprocessing.Process"} <= known
    assert "subprocess.Popen sleep" not in known
    assert not any("hunter2" in child for child in outcome.process.children)
