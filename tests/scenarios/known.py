"""What the plugin cannot do yet: shorten these lists whenever it learns."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["UNDECIDED_NOW", "WRONG_NOW"]

_FOUND = "found by looking for them; called flaky, though a change is behind"

#: Called something that they are not, and why.
WRONG_NOW: Mapping[str, str] = {
    "a_check_of_all_sources": _FOUND,
    "a_data_file_by_its_existence": _FOUND,
    "a_data_file_by_its_size": _FOUND,
    "a_doc_of_another_file": _FOUND,
    "a_file_is_left_behind": _FOUND,
    "a_protocol_at_run_time": _FOUND,
    "an_abstract_class_of_typing": _FOUND,
    "metadata_by_a_computed_name": _FOUND,
    "plugins_found_by_glob": _FOUND,
    "steps_in_their_order": _FOUND,
}

#: Left undecided, although a verdict is possible.
UNDECIDED_NOW: frozenset[str] = frozenset()
