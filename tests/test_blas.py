import os

import pytest

from analysis_lib.blas import choose_kernels

WIDE = "avx2 avx512f avx512bw avx512dq avx512vl"


@pytest.mark.parametrize(
    ("vendor", "flags", "expected"),
    [("AuthenticAMD", WIDE, "SkylakeX"), ("GenuineIntel", WIDE, None),
     ("AuthenticAMD", "avx2 avx512f", None)],
)  # fmt: skip
def test_wide_kernels_are_asked_for_where_openblas_would_not_look(
    vendor, flags, expected, tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "environ", {})
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nvendor_id\t: {vendor}\nflags\t\t: {flags}\n")
    choose_kernels(tmp_path / "cpuinfo")
    assert os.environ.get("OPENBLAS_CORETYPE") == expected


def test_a_choice_of_the_user_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"OPENBLAS_CORETYPE": "Zen"})
    (tmp_path / "cpuinfo").write_text(f"vendor_id: AuthenticAMD\nflags: {WIDE}\n")
    choose_kernels(tmp_path / "cpuinfo")
    choose_kernels(tmp_path / "none")
    assert os.environ == {"OPENBLAS_CORETYPE": "Zen"}
