"""Two databases."""
