"""The player and the graph explorer, with their scripts and styles."""
