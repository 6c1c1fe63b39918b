"""The chapter *architectures*."""
