"""``python -m bnlab.compiled [FOLDER]``: compile the nets of the book."""

from __future__ import annotations

import sys
from pathlib import Path

from bnlab.compiled.artefact import FOLDER, build

if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
