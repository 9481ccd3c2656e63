"""What each execution ran, opened and started, whatever changed.

The caller starts a ``session.TraceSession`` before conftest and test modules are imported, and
asks it for plain data at each failing phase; ``wire`` makes of it, on the controller, a
:class:`~flakefighters.model.trace.Trace`.  Nothing here knows what changed in which file.
"""
