"""What the plugin cannot do yet: shorten these lists whenever it learns."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["UNDECIDED_NOW", "WRONG_NOW"]

#: Genuine, and called flaky, fair at most: what an earlier test or an import left behind in ways
#: that no text shows plainly, looks at files and code without opening or running them, and the
#: order of definitions.  Trials are to settle them.  Each with its story.
WRONG_NOW: Mapping[str, str] = {
    "a_copy_is_dropped": "A function gives the table itself, no copy, and an earlier test alters what it gets.",
    "a_counter_goes_on": "One more object is made, whose class counts them.",
    "a_data_file_by_its_existence": "A data file of a computed name is gone, whose existence matters.",
    "a_data_file_by_its_size": "Only the size of a data file of a computed name is asked for.",
    "a_doc_of_another_file": "Help is made of the docstring of another module.",
    "a_file_is_left_behind": "A changed test writes a file that other code reads if it is there.",
    "a_file_of_tests_has_another_name": "The file of the test that set up what this one needs is run later now.",
    "a_file_of_tests_is_gone": "The test is deleted that had set up what this one needs.",
    "a_handler_put_into_a_table": "A handler in a table of another module wants an argument more.",
    "a_hook_beside_the_test": "A conftest.py of another folder reorders all tests.",
    "a_logger_has_another_level": "A logger is given another level and keeps it.",
    "a_module_found_by_its_spec": "A new module is found by find_spec.",
    "a_module_that_is_only_looked_for": "A new module can be imported, of which nothing is read.",
    "a_monkeypatch_of_its_own": "A MonkeyPatch is never undone.",
    "a_package_of_tests": "The folder of tests becomes a package, and its helpers cannot be imported any more.",
    "a_protocol_at_run_time": "A class gets a method, and so is an instance of a protocol.",
    "a_test_alters_a_fixture_that_hands_on": "A changed test alters what later ones get, too.",
    "a_test_alters_what_a_loop_gives": "A changed test alters what later ones get, too.",
    "a_test_alters_what_a_method_gives": "A changed test alters what later ones get, too.",
    "a_thread_runs_on": "Changed code of an earlier test leaves a thread running.",
    "an_earlier_test_sets_up_csv": "Changed code of an earlier test leaves csv in another state.",
    "an_earlier_test_sets_up_gc": "Changed code of an earlier test leaves gc in another state.",
    "an_enumeration_loses_its_default": "The method that finds members for unknown values is gone.",
    "an_iterator_goes_on": "A test takes a number from an iterator of the module.",
    "annotations_are_text_in_the_tests_own_file": "The test's own file postpones annotations, and looks at them.",
    "annotations_are_text_now": "Annotations are not evaluated any more, and a registry elsewhere reads them.",
    "another_test_file_sets_up_at_import": "Another test's file calls a setter when it is imported.",
    "another_test_file_stubs_a_module": "Another test's file puts a stub into sys.modules when it is imported.",
    "e_cmd_module_help": "Cmd.Cmd shell: docstring of do_x is the help.",
    "e_doc_in_command_registry": "Help lines made of f.__doc__ from a table in another module; docstring edited.",
    "e_teardown_stop_lost": "TearDown with self.patcher.stop() is deleted.",
    "k_cached_method_of_borg": "Shared __dict__ (Borg).",
    "k_class_level_dict_via_self": "Class-level dict cache filled through self.",
    "k_enum_member_attr": "Value stored on an enum member.",
    "k_mutable_default_cache": "Mutable default argument as cache.",
    "metadata_by_a_computed_name": "A test asks for the version by a computed name.",
    "n_docstring_missing_lint": "A test checks that all public functions of a module have docstrings; one is lost.",
    "n_lazy_import_lost_elsewhere": "The same, but an unrelated test module's import of it breaks the test.",
    "o_functions_of_module_in_order": "Functions of a module change places; vars(module) order makes a pipeline.",
    "p_changed_code_inserts_twice": "Changed repository code leaves a row behind in the module's db.",
    "p_dict_default_mutated": "Changed function pops from a config dict handed to it.",
    "p_logging_handler_left": "Changed code disables a logger that another module asks for by its name.",
    "p_module_fixture_object_used_up": "Changed test withdraws from a module-scoped account.",
    "p_module_singleton_method": "Changed test calls a method of a module-level singleton.",
    "p_session_db_closed": "Changed test closes the session db.",
    "p_session_db_deleted": "Changed test deletes rows of a session sqlite db.",
    "p_session_fixture_object_method": "Changed test checks out a session cart in another file.",
    "p_sort_in_place": "Changed function sorts its argument in place, a module constant.",
    "p_two_calls_deep_reset": "Changed test calls app.reset helper that clears a registry two calls down.",
    "raises_calls_it": "pytest.raises calls a function, which refuses the call now.",
    "steps_in_their_order": "Methods change places, which are run in the order of their definition.",
    "the_mask_of_the_process_by_another_name": "Changed code of an earlier test sets the mask of new files by an imported name.",
}

#: Left undecided, although a verdict is possible.
UNDECIDED_NOW: frozenset[str] = frozenset(
    {
        "a_module_answers_for_one_name_no_more",
        "a_module_that_answers_no_more",
        "an_annotation_that_code_acts_by",
    }
)
