"""What is larger or more entangled than the house allows.  These lists only ever shrink."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CIRCLES", "FILES", "FUNCTIONS"]

#: Files of more than 400 lines, and how many they have.
FILES: Mapping[str, int] = {}

#: Functions of more than 60 lines or 15 branches: lines, branches (see ``tests/reading.py``).
FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "capture/longrepr.py::_link": (18, 16),
    "capture/longrepr.py::_native": (39, 22),
    "capture/recorder.py::Recorder.report": (33, 18),
    "capture/redact_names.py::_bare": (20, 17),
    "capture/signature.py::_places": (15, 16),
    "capture/wire.py::_value": (27, 20),
    "checks/rights.py::_schema": (54, 26),
    "checks/tls.py::look": (36, 16),
    "cli/tests.py::explain": (56, 18),
    "cli/tests.py::list_tests": (59, 19),
    "fighters/cells.py::unclear": (23, 16),
    "history/earlier.py::past": (62, 23),
    "history/rollup.py::test_rows": (61, 11),
    "history/run_checks.py::check_run": (28, 17),
    "judging/recheck.py::Hindsight.__init__": (39, 18),
    "judging/revisions.py::_revisions": (26, 16),
    "judging/revisions.py::late": (33, 17),
    "profiles/layers.py::_field": (49, 18),
    "profiles/selection.py::_usable": (36, 17),
    "profiles/urls.py::_query": (29, 20),
    "reach/calls.py::_Search._use": (22, 17),
    "reach/effects.py::Effects._unit": (40, 23),
    "reach/import_graph.py::ImportGraph._reach": (39, 17),
    "reach/names.py::Names.read_by": (23, 18),
    "reach/python_files.py::PythonFiles._reads": (36, 24),
    "reach/side_effects.py::SideEffects._altered": (25, 16),
    "reports/widths.py::_stacked": (16, 16),
    "reports/widths.py::layout": (27, 19),
    "session/opening.py::_histories": (22, 16),
    "session/printing.py::show": (31, 24),
    "source/compare.py::Comparison._functions": (40, 21),
    "source/entries.py::_imports": (17, 16),
    "source/exposure.py::of_definition": (39, 29),
    "source/exposure.py::of_statement": (28, 18),
    "source/file_facts.py::_facts": (33, 17),
    "source/file_facts.py::_reference": (21, 22),
    "source/fingerprints.py::key": (62, 20),
    "source/nodes.py::local_names": (24, 16),
    "source/purity.py::_of_statement": (32, 19),
    "source/reader.py::_Reader._by_name": (32, 28),
    "source/reader.py::_Reader._call": (21, 16),
    "source/unit_facts.py::unit_facts": (32, 17),
    "state/urls.py::canonical": (34, 17),
    "state/walk.py::walk": (30, 16),
}

#: Modules that import each other, be it inside a function or for a type checker.
CIRCLES: tuple[frozenset[str], ...] = ()
