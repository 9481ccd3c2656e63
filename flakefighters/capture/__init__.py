"""What pytest reports, as facts: recorder, signature, redaction."""
