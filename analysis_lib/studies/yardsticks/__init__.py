"""The chapter *smoothness*."""
