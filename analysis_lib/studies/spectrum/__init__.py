"""The chapter *spectrum*."""
