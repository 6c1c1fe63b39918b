"""Windowed dynamic time warping: options, kernels, tiles, machines."""
