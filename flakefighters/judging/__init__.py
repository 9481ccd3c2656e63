"""The rules of evidence: which pass is the baseline, cases, rechecks, retries."""
