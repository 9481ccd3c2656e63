"""Which database, and who said so."""
