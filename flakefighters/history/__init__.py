"""One database of facts."""
