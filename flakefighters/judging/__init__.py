"""The rules of evidence: which pass is the baseline, what changed, rechecks, retries."""
