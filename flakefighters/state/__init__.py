"""What is checked out: git, the work tree, file maps and their difference."""
