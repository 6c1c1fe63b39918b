"""The chapter *infants*."""
