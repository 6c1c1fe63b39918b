"""Networks: maps from (N, C, T, V, M) to class scores, each with a list of its layers."""
