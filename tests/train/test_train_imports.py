"""What ``import bnlab.train`` loads."""

import subprocess
import sys


def test_who_trains_in_pytorch_does_not_load_the_compiler():
    code = "import sys, bnlab.train; print(*sorted({'sympy', 'torch._dynamo'} & {*sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == ""
