"""The jobs of cards as a page does them, in node, beside what Python computes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bnlab.lab import clinic
from bnlab.lab.kit import page
from tests.lab.kit.heard import collected

FOLDER = Path(clinic.__file__).parent
NODE = Path(__file__).with_name("node_worker.mjs")

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def of_the_page(folder, job, states, steps):
    """The curves of each state, see ``whole``."""
    asset = folder / "clinic.js"
    asset.write_text(page.content("clinic", [FOLDER / f"page_{job}.js"]))
    requests = [{"job": job, "state": state, "steps": steps} for state in states]
    told = subprocess.run(
        ["node", str(NODE), str(asset)],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return [whole(contents) for contents in json.loads(told.stdout)]


def whole(contents):
    """What was told, put together by curve and key; of matrices the last one."""
    return collected(contents, last=("matrix",))
