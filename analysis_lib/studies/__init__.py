"""One package a chapter: what it measures, finds, says and draws."""
