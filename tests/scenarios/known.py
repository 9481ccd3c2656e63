"""What the plugin cannot do yet: shorten these lists whenever it learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["UNDECIDED_NOW", "WRONG_NOW"]

#: Genuine, and called flaky, fair at most: what an earlier test or an import left behind in ways
#: that no text shows plainly, looks at files and code without opening or running them, and the
#: order of definitions.  Only running the test again can settle them.
_FAIR: Final = """
    a_copy_is_dropped a_counter_goes_on
    a_sitecustomize_that_imports_the_project a_source_read_by_a_listing
    a_test_alters_what_everybody_gets left_by_an_earlier_test_an_open_port
    a_doc_of_another_file a_file_is_left_behind a_file_of_tests_has_another_name
    a_file_of_tests_is_gone a_handler_put_into_a_table a_hook_beside_the_test
    a_logger_has_another_level a_module_found_by_its_spec a_module_that_is_only_looked_for
    a_monkeypatch_of_its_own a_package_of_tests a_protocol_at_run_time
    a_test_alters_a_fixture_that_hands_on a_test_alters_what_a_loop_gives
    a_test_alters_what_a_method_gives a_thread_runs_on an_earlier_test_sets_up_csv
    an_earlier_test_sets_up_gc an_iterator_goes_on
    annotations_are_text_in_the_tests_own_file annotations_are_text_now
    another_test_file_sets_up_at_import another_test_file_stubs_a_module
    e_doc_in_command_registry e_teardown_stop_lost k_cached_method_of_borg
    k_class_level_dict_via_self k_enum_member_attr k_mutable_default_cache
    metadata_by_a_computed_name n_docstring_missing_lint n_lazy_import_lost_elsewhere
    o_functions_of_module_in_order p_changed_code_inserts_twice p_dict_default_mutated
    p_logging_handler_left p_module_fixture_object_used_up p_module_singleton_method
    p_session_db_closed p_session_db_deleted p_session_fixture_object_method p_sort_in_place
    p_two_calls_deep_reset steps_in_their_order
    the_mask_of_the_process_by_another_name
"""
WRONG_NOW: Mapping[str, str] = dict.fromkeys(
    _FAIR.split(), "flaky, fair at most: only running it again can tell"
)

#: Left undecided, although a verdict is possible.
UNDECIDED_NOW: frozenset[str] = frozenset(
    {
        "a_link_that_points_elsewhere",
        "a_method_by_being_there_pay",
        "a_new_method_of_a_common_name",
        "a_module_answers_for_one_name_no_more",
        "keywords_of_a_class_that_a_base_keeps",
        "a_module_that_answers_no_more",
        "an_annotation_that_code_acts_by",
    }
)
