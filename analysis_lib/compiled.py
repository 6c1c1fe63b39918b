"""Functions compiled by numba, on any installation."""

from collections.abc import Callable

import numba


def compiled(**settings) -> Callable:
    """Return `numba.njit` that frees the interpreter, and keeps what it compiles for the next process.

    Where numba may write neither beside the source, nor below the user's home, nor to
    ``$NUMBA_CACHE_DIR``, each process compiles for itself.

    Examples
    --------
    >>> compiled()(lambda x: 2 * x)(3)
    6
    """

    def compile_one(function: Callable) -> Callable:
        try:
            return numba.njit(nogil=True, cache=True, **settings)(function)
        except RuntimeError:  # numba has no folder to write to
            return numba.njit(nogil=True, **settings)(function)

    return compile_one
