"""The chapter *noise*."""
