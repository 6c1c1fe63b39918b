"""Figures: each is drawn from one tidy table, in one house style."""
