"""Could a change matter to a test: import graph, names, calls, pollution, data files.

``changed_units`` finds what changed and who reads it; ``touch`` holds that against one execution,
by way of ``python_files``, ``data_files``, ``side_effects`` and ``early_loading``.
"""
