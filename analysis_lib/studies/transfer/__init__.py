"""The chapter *transfer*."""
