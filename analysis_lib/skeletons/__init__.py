"""Joint tables, adjacency, spectrum."""
