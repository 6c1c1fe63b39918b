"""Statistics over clips, people and networks, of plain arrays."""
