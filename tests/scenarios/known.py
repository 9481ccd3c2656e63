"""What the plugin cannot do yet: shorten these lists whenever it learns."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["UNDECIDED_NOW", "WRONG_NOW"]

_FOUND = "found by looking for them; called flaky, though a change is behind"

#: Called something that they are not, and why.
WRONG_NOW: Mapping[str, str] = {
    "a_cached_function_of_a_changed_one": _FOUND,
    "a_check_of_all_sources": _FOUND,
    "a_class_pattern": _FOUND,
    "a_content_of_the_class": _FOUND,
    "a_counter_goes_on": _FOUND,
    "a_data_file_by_its_existence": _FOUND,
    "a_data_file_by_its_size": _FOUND,
    "a_doc_of_another_file": _FOUND,
    "a_file_is_left_behind": _FOUND,
    "a_file_of_tests_has_another_name": _FOUND,
    "a_file_of_tests_is_gone": _FOUND,
    "a_format_string": _FOUND,
    "a_function_shadowed_by_an_import": _FOUND,
    "a_handler_handed_to_a_call": _FOUND,
    "a_handler_put_into_a_table": _FOUND,
    "a_hook_beside_the_test": _FOUND,
    "a_logger_has_another_level": _FOUND,
    "a_loop_that_registers": _FOUND,
    "a_metric_called_counter": _FOUND,
    "a_missing_name_under_a_broad_except": _FOUND,
    "a_module_as_a_parameter": _FOUND,
    "a_module_found_by_its_spec": _FOUND,
    "a_module_is_reloaded": _FOUND,
    "a_module_that_is_only_looked_for": _FOUND,
    "a_monkeypatch_of_its_own": _FOUND,
    "a_package_of_tests": _FOUND,
    "a_patcher_in_a_variable": _FOUND,
    "a_pickle_of_before": _FOUND,
    "a_protocol_at_run_time": _FOUND,
    "a_route_by_a_decorator_called_patch": _FOUND,
    "a_script_is_no_more_executable": _FOUND,
    "a_setting_by_a_method_called_set": _FOUND,
    "a_test_is_gone": _FOUND,
    "a_variable_that_python_reads": _FOUND,
    "an_abstract_class_of_typing": _FOUND,
    "an_attribute_of_the_type": _FOUND,
    "an_error_class_that_registers_heirs": _FOUND,
    "an_import_shadowed_by_a_class": _FOUND,
    "an_iterator_goes_on": _FOUND,
    "an_object_called_like_its_module": _FOUND,
    "an_object_keeps_a_function": _FOUND,
    "an_object_that_registers_itself": _FOUND,
    "an_unused_import_gave_a_submodule": _FOUND,
    "an_unused_import_of_the_standard_library": _FOUND,
    "another_test_file_sets_up_at_import": _FOUND,
    "another_test_file_stubs_a_module": _FOUND,
    "deleted_by_a_clean_up": _FOUND,
    "logging_is_disabled": _FOUND,
    "members_by_inspect": _FOUND,
    "metadata_by_a_computed_name": _FOUND,
    "names_by_dir": _FOUND,
    "plugins_found_by_glob": _FOUND,
    "raises_calls_it": _FOUND,
    "shadowed_by_a_second_binding": _FOUND,
    "single_dispatch_by_annotation": _FOUND,
    "steps_in_their_order": _FOUND,
    "tracked_files_by_git": _FOUND,
}

#: Left undecided, although a verdict is possible.
UNDECIDED_NOW: frozenset[str] = frozenset()
