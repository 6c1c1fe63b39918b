"""The chapter *data*."""
