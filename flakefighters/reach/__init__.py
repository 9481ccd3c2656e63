"""Could a change matter to a test: import graph, names, calls, pollution, data files."""
