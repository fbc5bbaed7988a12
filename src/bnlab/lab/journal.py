"""Results of a long computation, kept one by one, so that an interrupted one can go on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from bnlab.store import write_text


class Journal:
    """A file with one result a line, each with a checksum and the code that made it.

    Args:
        path: the file; made when the first result comes.
        code: names the code that computes; results of other code are not used.

    Attributes:
        dropped: lines of the file that were damaged or come from other code.
    """

    def __init__(self, path: Path, code: str) -> None:
        self.path, self.code = Path(path), code
        self._results: dict[str, dict] = {}
        self.dropped = 0
        self._read()

    def __contains__(self, key: str) -> bool:
        return key in self._results

    def __getitem__(self, key: str) -> dict:
        return self._results[key]

    def add(self, key: str, result: dict) -> None:
        """Keep a result, on disk at once."""
        self._results[key] = result
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(self._line(key, result))

    def _line(self, key: str, result: dict) -> str:
        text = json.dumps([key, self.code, result], separators=(",", ":"), allow_nan=False)
        return f"{_sum(text)} {text}\n"

    def _read(self) -> None:
        """Take over the good lines; a file with others is written anew without them."""
        lines = []
        if self.path.exists():
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            checksum, _, text = line.partition(" ")
            if checksum == _sum(text):
                key, code, result = json.loads(text)
                if code == self.code:
                    self._results[key] = result
                    continue
            self.dropped += 1
        if self.dropped:
            write_text(self.path, "".join(self._line(*item) for item in self._results.items()))


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
