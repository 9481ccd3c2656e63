"""Histories from elsewhere: what other tools wrote down of test runs, as runs of ours.

Nothing that is read here is believed: sizes are bounded, text is redacted, and the runs carry in
their ``origin`` that they were imported.
"""
