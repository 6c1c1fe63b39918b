"""The chapter *nnk_vs_knn*."""
