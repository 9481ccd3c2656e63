"""The life of one pytest session: prepare, hooks, journal and spool, finish, print.

In the order of a run: ``prepare`` and ``start``; ``hooks``, with ``worker`` and ``watching`` where
the tests run; ``finish``, which ``finish_safely`` starts here or in a clean child; ``printing``;
``spool``.
"""
