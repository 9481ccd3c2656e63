"""What is larger or more entangled than the house allows.  These lists only ever shrink."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CIRCLES", "FILES", "FUNCTIONS"]

#: Files of more than 400 lines, and how many they have.
FILES: Mapping[str, int] = {
    "session/hooks.py": 401,
}

#: Functions of more than 60 lines or 15 branches: lines, branches (see ``tests/reading.py``).
FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "capture/longrepr.py::_link": (18, 16),
    "capture/longrepr.py::_native": (39, 22),
    "capture/recorder.py::Recorder.report": (30, 17),
    "capture/signature.py::_places": (15, 16),
    "capture/wire.py::_value": (27, 20),
    "checks/network.py::reach": (37, 16),
    "checks/rights.py::_schema": (54, 26),
    "checks/tls.py::look": (36, 16),
    "cli/tests.py::explain": (51, 20),
    "fighters/touching.py::_Seen.is_elsewhere": (23, 17),
    "fighters/touching.py::_judge": (67, 54),
    "fighters/touching.py::_doubts": (25, 16),
    "history/content.py::normal": (57, 20),
    "history/content.py::content_hash": (64, 11),
    "history/foreign.py::ForeignHistory._check": (33, 22),
    "history/foreign.py::ForeignHistory._typed": (27, 16),
    "history/pack.py::link_suite": (25, 17),
    "history/read.py::past": (51, 20),
    "history/schema.py::_define_shared": (62, 1),
    "history/schema.py::_define_rulings": (63, 1),
    "history/sqlite.py::SqliteDatabase._check_version": (24, 19),
    "history/write.py::save": (150, 39),
    "history/write.py::save_verdicts": (28, 20),
    "judging/baselines.py::look_back": (52, 43),
    "judging/baselines.py::_unseen": (16, 16),
    "judging/baselines.py::_watch": (53, 21),
    "judging/recheck.py::Hindsight.__init__": (37, 18),
    "judging/revisions.py::late": (33, 17),
    "plugin.py::pytest_addoption": (61, 1),
    "profiles/ci.py::_finish": (40, 18),
    "profiles/layers.py::_toml": (37, 16),
    "profiles/urls.py::_server": (24, 16),
    "reach/alterations.py::_Body.__init__": (48, 17),
    "reach/alterations.py::_Body._call": (27, 18),
    "reach/alterations.py::_Body._name": (34, 36),
    "reach/alterations.py::_Body._chain": (29, 16),
    "reach/callers.py::_Search._unit": (30, 26),
    "reach/callers.py::_Search._use": (33, 22),
    "reach/callers.py::_Search._implicit": (20, 16),
    "reach/delta.py::delta": (70, 27),
    "reach/delta.py::_effect": (36, 25),
    "reach/handing.py::_in": (30, 21),
    "reach/import_graph.py::ImportGraph._reach": (38, 16),
    "reach/keepers.py::_kept": (32, 23),
    "reach/leavings.py::_File.of": (35, 22),
    "reach/leavings.py::Leavings.add": (40, 25),
    "reach/leavings.py::Leavings._at_import": (26, 17),
    "reach/leavings.py::Leavings._altered": (40, 32),
    "reach/lookers.py::Lookers.of": (20, 18),
    "reach/project.py::Sources._escapes": (25, 17),
    "reach/project_context.py::Around.quiet_import": (30, 20),
    "reach/readers.py::Names.read_by": (28, 21),
    "reach/readers.py::_Carriers.computing": (25, 16),
    "reach/readers.py::readers": (65, 18),
    "reach/readers.py::_follow": (81, 42),
    "session/printing.py::show": (25, 19),
    "session/start.py::begin": (58, 16),
    "source/compare.py::Comparison._scopes": (33, 20),
    "source/compare.py::Comparison._functions": (44, 21),
    "source/dynamic_names.py::computed_name": (31, 28),
    "source/entries.py::_imports": (17, 18),
    "source/exposure.py::of_statement": (25, 16),
    "source/exposure.py::of_attribute": (21, 19),
    "source/exposure.py::of_definition": (42, 28),
    "source/exposure.py::reached_by_calls": (22, 18),
    "source/fingerprints.py::key": (62, 20),
    "source/parse.py::policy": (35, 16),
    "source/purity.py::_statement_has_effect": (39, 29),
    "source/reads.py::reads": (78, 44),
    "state/urls.py::canonical": (34, 17),
    "state/walk.py::walk": (30, 16),
    "sync/links.py::walk": (40, 17),
    "sync/pull.py::_compare": (32, 19),
    "sync/run_hash.py::run_hash": (54, 18),
    "tracing/monitoring.py::MonitoringTracer._start_pair": (70, 2),
}

#: Modules that import each other, be it inside a function or for a type checker.
CIRCLES: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "flakefighters.history.migrations",
            "flakefighters.history.migrations_postgres",
        }
    ),
    frozenset(
        {
            "flakefighters.plugin",
            "flakefighters.session.ending",
            "flakefighters.session.hooks",
            "flakefighters.session.opening",
            "flakefighters.session.printing",
        }
    ),
    frozenset(
        {
            "flakefighters.reach.project",
            "flakefighters.reach.project_context",
        }
    ),
)
