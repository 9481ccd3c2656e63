"""What the plugin cannot do yet: shorten these lists whenever it learns."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["UNDECIDED_NOW", "WRONG_NOW"]

_ATTEMPTS = "the attempts are told apart wrongly"
_COPY = "the installed copy is not taken for the project"
_EARLY = "code that ran before we watched is taken for code that did not run"
_LEFT = "what an earlier test leaves is not looked for there"
_LIBRARY = "what a library reads or loads is not followed"
_LOADED = "on 3.11 only imports are seen"
_PRESENT = "a method that matters by being there is taken for one that did not run"
_SAME = "two names of one environment are taken for two"
_STEERING = "files that start the tests are not tied to the variables that tests read"

#: Called something that they are not, and why.
WRONG_NOW: Mapping[str, str] = {
    "a_plugin_in_a_variable": _EARLY,
    "an_option_of_a_project_that_is_a_plugin": _EARLY,
    "a_sitecustomize_that_imports_the_project": _EARLY,
    "a_steering_file_tox": _STEERING,
    "a_steering_file_workflow": _STEERING,
    "a_steering_file_gitlab": _STEERING,
    "a_steering_file_nox": _STEERING,
    "a_steering_file_make": _STEERING,
    "a_steering_file_compose": _STEERING,
    "a_time_zone_by_another_name": _SAME,
    "a_subtest_that_fails_in_every_attempt": _ATTEMPTS,
    "a_call_that_is_tried_again": _ATTEMPTS,
    "left_by_an_earlier_test_a_file": _LEFT,
    "the_settings_of_a_framework": _LIBRARY,
    "the_routes_of_a_framework": _LIBRARY,
    "a_framework_that_calls_ready": _LIBRARY,
    "a_meta_class_that_a_base_reads": _LIBRARY,
    "a_method_by_being_there_getitem": _PRESENT,
    "a_method_by_being_there_contains": _PRESENT,
    "a_method_by_being_there_float": _PRESENT,
    "a_method_by_being_there_enter": _PRESENT,
    "a_function_in_an_installed_copy": _COPY,
    "a_constant_in_an_installed_copy": _COPY,
    "an_installed_copy_in_a_tox_folder": _COPY,
    "an_installed_copy_of_a_flat_layout": _COPY,
    "a_data_file_in_an_installed_copy": _COPY,
    "another_version_of_the_same_copy": _COPY,
    "loaded_by_exec_of_anonymous_text": _LOADED,
}

#: Left undecided, although a verdict is possible.
UNDECIDED_NOW: frozenset[str] = frozenset(
    {
        "a_plugin_in_an_option",
        "keywords_of_a_class_that_a_base_keeps",
        "a_meta_class_that_a_base_of_the_project_reads",
    }
)
