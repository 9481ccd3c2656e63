"""What happened, and what was touched."""
