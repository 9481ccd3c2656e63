"""Could a change matter to a test: imports, names, calls, side effects, data files."""
