"""Embeddings, dataset graphs, label smoothness and other yardsticks."""
