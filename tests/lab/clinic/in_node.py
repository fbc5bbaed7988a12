"""What the worker of a page computes, in node, as curves that can be compared with Python's."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from bnlab.lab.kit.page import make

HERE = Path(__file__).parent
NODE = shutil.which("node")


def answers(folder: Path, jobs: Sequence[Path], asked: Sequence[tuple[str, dict, int]]) -> list:
    """The curves of each (job, state, steps), by name, as ``whole`` gives them.

    Args:
        folder: for the file that a page would load.
        jobs: the modules of the jobs.
        asked: what is asked for, one after the other.
    """
    file = folder / "clinic.js"
    make("clinic", file, jobs)
    command = [NODE, str(HERE / "node_worker.mjs"), str(file)]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [end["type"] for _, end in found] == ["finished"] * len(asked), found
    return [whole(points) for points, _ in found]


def whole(contents: Iterable) -> dict[str, dict]:
    """What was told of each curve, lists of points joined, all else as it was told last."""
    curves: dict[str, dict] = {}
    for name, content in contents:
        curve = curves.setdefault(name, {})
        for key, value in (content or {}).items():
            curve[key] = curve.get(key, []) + value if isinstance(value, list) else value
    return curves
