"""What differs between two states or environments."""
