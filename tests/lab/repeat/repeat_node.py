"""Runs the JavaScript of a repeated verdict in node, bundled as a page gets it."""

import functools
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bnlab.lab import repeat
from bnlab.lab.kit.bundle import script

FOLDER = Path(repeat.__file__).parent
MODULES = [
    FOLDER / name for name in ("judge.js", "margins.js", "verdict_file.js", "repeat_link.js")
]
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


@functools.cache
def sources() -> str:
    """These modules and what they import, as one script."""
    return script(MODULES)


def node(expression: str, given: object = None) -> object:
    """The value of a JavaScript expression, which may use ``given``; an error becomes its text."""
    code = f"""{sources()}
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
const whole = (pieces) => {{
  for (;;) {{
    const {{ done, value }} = pieces.next();
    if (done) return value;
  }}
}};
const interval = (...of) => whole(intervalPieces(...of));
const decideClaim = (...of) => whole(decidePieces(...of));
const tried = (act) => {{ try {{ return act(); }} catch (error) {{ return error.message; }} }};
process.stdout.write(JSON.stringify({expression}));"""
    done = subprocess.run(
        [NODE, "-e", code], input=json.dumps(given), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
