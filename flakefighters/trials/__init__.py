"""Proof by experiment: run a test again in fresh processes, here and on the state that passed.

``confirm`` puts the failures of a run on trial, ``bisect`` looks for the commit that broke a
test.  Nothing here runs unless the user asked for it.
"""
