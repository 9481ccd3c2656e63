"""All scenarios: importing the topics fills the list."""

from __future__ import annotations

from tests.scenarios import (
    adversarial,
    adversarial_state,
    adversarial_ways,
    around_pytest,
    branches,
    closed_world,
    computed_names,
    data_files,
    edits_to_classes,
    edits_to_files,
    edits_to_functions,
    edits_to_modules,
    edits_to_tests,
    environments,
    evidence,
    experiments,
    harmless_changes,
    harmless_edits,
    installed_copies,
    kept_values,
    learned,
    learned_seeds,
    left_behind,
    loading_modules,
    new_names,
    opening_files,
    out_of_reach,
    places,
    processes,
    pytest_settings,
    reaching,
    refuted_1,
    refuted_2,
    refuted_3,
    refuted_4,
    refuted_5,
    working_trees,
)
from tests.scenarios.registry import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "TOPICS", "pick"]

_MODULES = (
    adversarial,
    adversarial_state,
    adversarial_ways,
    around_pytest,
    branches,
    closed_world,
    computed_names,
    data_files,
    edits_to_classes,
    edits_to_files,
    edits_to_functions,
    edits_to_modules,
    edits_to_tests,
    environments,
    evidence,
    experiments,
    harmless_changes,
    harmless_edits,
    installed_copies,
    kept_values,
    learned,
    learned_seeds,
    left_behind,
    loading_modules,
    new_names,
    opening_files,
    out_of_reach,
    places,
    processes,
    pytest_settings,
    reaching,
    refuted_1,
    refuted_2,
    refuted_3,
    refuted_4,
    refuted_5,
    working_trees,
)
TOPICS = tuple(module.__name__.rpartition(".")[2] for module in _MODULES)

#: Of how many scenarios one is played where nothing is asked for.
_SHARE = 5


def pick(which: str) -> list[Scenario]:
    """All scenarios for "all", a share for "some", else those of the names or topics given.

    LookupError if a name is none, with what there is.
    """
    everything = list(SCENARIOS.values())
    if which == "some":
        return everything[::_SHARE]
    if which == "all":
        return everything
    wanted = set(which.split(","))
    unknown = wanted - set(SCENARIOS) - set(TOPICS)
    if unknown:
        known = ", ".join(TOPICS)
        raise LookupError(f"no {', '.join(sorted(unknown))}; say all, some, a name, or of {known}")
    return [one for one in everything if {one.topic, one.name} & wanted]
