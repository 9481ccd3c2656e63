"""The rules of evidence: which pass is the baseline, what changed, rechecks, retries.

In the order of a run: ``baselines`` before the tests; then ``judge``, which asks ``evidence`` for
the past and ``accounts`` for what each execution had to do with the changes; then ``retries``.
``recheck`` and ``revisions`` judge again what was judged before.
"""
