"""The flow: what both doors do with the rooms.  Only doors and this package import across."""
