"""All scenarios: importing the topics fills the list."""

from __future__ import annotations

from tests.scenarios import (
    adversarial,
    adversarial_state,
    adversarial_ways,
    branches,
    computed_names,
    data_files,
    edits_to_classes,
    edits_to_files,
    edits_to_functions,
    edits_to_modules,
    edits_to_tests,
    environments,
    evidence,
    harmless_changes,
    harmless_edits,
    kept_values,
    left_behind,
    new_names,
    out_of_reach,
    places,
    processes,
    pytest_settings,
    reaching,
    refuted_1,
    refuted_2,
    refuted_3,
    refuted_4,
    working_trees,
)
from tests.scenarios.registry import SCENARIOS

__all__ = ["SCENARIOS", "TOPICS"]

_MODULES = (
    adversarial,
    adversarial_state,
    adversarial_ways,
    branches,
    computed_names,
    data_files,
    edits_to_classes,
    edits_to_files,
    edits_to_functions,
    edits_to_modules,
    edits_to_tests,
    environments,
    evidence,
    harmless_changes,
    harmless_edits,
    kept_values,
    left_behind,
    new_names,
    out_of_reach,
    places,
    processes,
    pytest_settings,
    reaching,
    refuted_1,
    refuted_2,
    refuted_3,
    refuted_4,
    working_trees,
)
TOPICS = tuple(module.__name__.rpartition(".")[2] for module in _MODULES)
