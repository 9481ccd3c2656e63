"""Methods from papers as plain functions: numbers and texts in, numbers out.

Nothing here knows of runs, tests or verdicts.  Each function names its source.
"""
