"""One Python file read: its units, what they bind and read, and two versions compared."""
