"""The networks, their files, and what listens to their layers."""
