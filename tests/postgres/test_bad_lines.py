"""A test run whose line to the server breaks, or falls silent, wherever that may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from flakefighters.errors import UnreachableError
from flakefighters.history import open_history
from tests.e2e.project import Project
from tests.postgres.server import PostgresServer
from tests.sync.bad_line import BadLine


@pytest.mark.parametrize(
    ("silent", "after"),
    [(True, 300), (True, 5000), (False, 300), (False, 5000), (False, 7000), (False, 9000)],
)
def test_one_line_and_nothing_lost(
    postgres_server: PostgresServer, tmp_path: Path, silent: bool, after: int
) -> None:
    """The tests run and are judged; the run is there, or it waits."""
    project = Project(tmp_path)
    project.init()
    project.commit({"test_it.py": "def test_a(): pass\ndef test_b(): assert 0\n"})
    server, name = postgres_server, postgres_server.create_database()
    project.env["FLAKEFIGHTERS_PROFILE"] = "ci"

    def use(port: int) -> None:
        address = f"{server.user}:{server.password}@127.0.0.1:{port}/{name}"
        project.env["FLAKEFIGHTERS_PROFILES__CI__URL"] = f"postgresql://{address}"

    use(server.port)
    assert project.pytest(expect=1).closing.endswith("saved to ci")
    with BadLine(server.port, after, silent=silent) as line:
        use(line.port)
        ended = project.pytest("--showlocals", "--full-trace", expect=1)
    assert len(ended.verdicts) == 1
    assert "internal error" not in ended.out
    assert server.password not in ended.out + ended.err
    assert len(ended.warnings) <= 1
    runs = server.ask("SELECT count(*) FROM flakefighters.run", name)[0][0]
    if project.spool:
        # Perhaps it was saved, and the answer got lost: a second delivery would be no trouble.
        assert "this run waits in .flakefighters/spool/" in ended.warnings[0]
    else:
        assert runs == 2
        assert all(one.endswith("after this run was saved") for one in ended.warnings)


def test_whoever_asks_again_hears_the_same(postgres_server: PostgresServer) -> None:
    """Not the driver's own word for a connection that it has given up."""
    target = postgres_server.target(postgres_server.create_database())
    open_history(target).close()
    with BadLine(postgres_server.port, 10**9) as line:
        history = open_history(target._replace(port=line.port))
        line.__exit__(None, None, None)
        for _ in range(3):
            with pytest.raises(UnreachableError, match="broke"):
                history.run_ids()
        history.close()
