"""The chapter *performance*."""
