"""The chapter *claims*."""
