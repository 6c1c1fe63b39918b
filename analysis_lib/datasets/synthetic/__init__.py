"""Actions made by forward kinematics: the embedded default."""
