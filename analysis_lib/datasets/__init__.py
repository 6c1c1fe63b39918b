"""Skeleton datasets: one frozen type, one reader a format, one catalogue of names."""
