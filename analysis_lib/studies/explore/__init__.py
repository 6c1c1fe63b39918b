"""The chapter *explore*."""
