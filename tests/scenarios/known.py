"""What the plugin cannot do yet: shorten these lists whenever it learns."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["UNDECIDED_NOW", "WRONG_NOW"]

_OUTSIDE = "the state knows nothing of it"
_SETTINGS = "the configuration key does not hold it"

#: Called something that they are not, and why.
WRONG_NOW: Mapping[str, str] = {
    # "passed on the same state", of what is no part of the state
    "a_custom_option": _SETTINGS,
    "a_plugin_is_switched_on": _SETTINGS,
    "a_sibling_checkout": _OUTSIDE,
    "an_edited_dependency": _OUTSIDE,
    "assumed_unchanged": _OUTSIDE,
    "ignored_by_git": _OUTSIDE,
    "ignored_module": _OUTSIDE,
    # "did not touch the change", which was touched unseen
    "a_data_file_cached_by_an_earlier_test": "only the test that opens a file is seen to touch it",
    "a_database_file": "files that C code opens are not seen",
    "a_new_data_file": "looking into a folder is not seen to touch what is new in it",
    "a_pool_of_the_package": "a child that was started before the tests is not seen",
    "a_removed_dependency": "an import that fails now is not seen to touch what it asks for",
    "a_result_kept_by_an_earlier_test": "a kept result is not traced to the run that made it",
    "only_its_existence": "asking whether a file exists is not seen",
    "pollution_by_an_unrelated_test": "a change that ran in an earlier test is no touch",
}

#: Left undecided, although a verdict is possible.
UNDECIDED_NOW: frozenset[str] = frozenset(
    {
        "a_data_file_read_at_import",
        "a_deleted_file",
        "a_renamed_file",
        "a_syntax_error_in_a_lazy_module",
        "an_early_plugin",
        "an_unused_dependency",
        "an_upgraded_dependency_of_a_dependency",
        "untracked",
    }
)
