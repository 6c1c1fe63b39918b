"""Non-negative kernel regression (NNK)."""
