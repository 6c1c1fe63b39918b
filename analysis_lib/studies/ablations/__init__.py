"""The chapter *ablations*."""
