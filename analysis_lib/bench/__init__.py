"""Speed, measured: the book's kernels beside other libraries (``python -m analysis_lib.bench``)."""
