"""The evidence holds on processors of other kinds, as far as one can be made to act like them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnlab.verdicts.again import FOLDER
from bnlab.verdicts.evidence import results_folder

KINDS = {
    "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX", "ATEN_CPU_CAPABILITY": "avx512"},
    "Haswell": {
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "Katmai": {"OPENBLAS_CORETYPE": "Prescott", "ATEN_CPU_CAPABILITY": "default"},
}
"""Kernels of OpenBLAS, as it calls them, and the variables that choose them and torch's."""

CHECK = """
import json, sys
import numpy
from threadpoolctl import threadpool_info
from bnlab.claims.__main__ import main
kernels = [one.get("architecture") for one in threadpool_info() if one["user_api"] == "blas"]
print(json.dumps(kernels), file=sys.stderr)
sys.exit(main(["check"]))
"""


def can_run(kind: str) -> bool:
    """Whether this processor has the instructions of the kernels."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return False
    return {"SkylakeX": "avx512f", "Haswell": "avx2", "Katmai": "sse2"}[kind] in flags


@pytest.mark.parametrize("kind", KINDS)
def test_all_evidence_holds_with_the_kernels_of_another_processor(kind):
    if not can_run(kind):
        pytest.skip(f"this processor cannot run the kernels for {kind}")
    there = {**os.environ, **KINDS[kind]}
    command = [sys.executable, "-c", CHECK]
    done = subprocess.run(command, capture_output=True, env=there, text=True, check=False)
    kernels = json.loads(done.stderr.splitlines()[0])
    if kind not in kernels:
        pytest.skip(f"numpy's BLAS cannot be told to use the kernels for {kind}: it has {kernels}")
    assert done.returncode == 0, done.stdout
    files = results_folder().rglob("*.json")
    count = sum(path.parent.name != FOLDER for path in files)
    assert done.stdout.splitlines()[-1].endswith(f"{count} checked: all hold.")
