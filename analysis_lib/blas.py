"""Which kernels OpenBLAS takes: on AMD processors with AVX-512 it falls back to AVX2, half as fast."""

import os
from pathlib import Path

NEEDED = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}


def choose_kernels(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Ask OpenBLAS for its AVX-512 kernels where the processor has them and it would not look.

    It reads ``OPENBLAS_CORETYPE`` when it is loaded: a BLAS that is loaded already stays as it is,
    and a value that is set is kept.
    """
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:  # not Linux
        return
    told = {key.strip(): value.split() for key, _, value in (line.partition(":") for line in lines)}
    if told.get("vendor_id") == ["AuthenticAMD"] and set(told.get("flags", [])) >= NEEDED:
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
