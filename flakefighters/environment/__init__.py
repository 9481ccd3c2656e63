"""Where a run runs, and what of it must be equal to compare two runs."""
