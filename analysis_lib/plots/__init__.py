"""House style, skeletons, panels: what several studies draw with."""
