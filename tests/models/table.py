"""The table of models and functions: computed, and stored beside what prints it.

``.venv/bin/python -m tests.models.table`` computes it anew and writes it.
"""

import json
import re

from bnlab.show.compatibility import TABLE, WORKS
from tests.models.columns import COLUMNS, outcome
from tests.models.libraries import versions
from tests.models.zoo import Model, make, models

LISTED = 2  # lines of a sentence that lists many modules


def row(model: Model) -> dict[str, list[str]]:
    """Word and sentence of each function that does not simply work on a model."""
    case, found = make(model), {}
    for name, check in COLUMNS.items():
        word, sentence = outcome(check, case)
        if word != WORKS:
            found[name] = [word, shortened(sentence)]
    return found


def shortened(sentence: str) -> str:
    """A sentence on one line, with the first of what it lists."""
    lines = [re.sub(r"\s+", " ", line).strip() for line in sentence.splitlines()]
    if len(lines) > LISTED + 1:
        more = f"(and {len(lines) - LISTED - 1} more)"
        lines = [*lines[:LISTED], more, lines[-1]]
    return " ".join(lines)


def stored() -> dict:
    """The table as it was written last."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def write() -> None:
    """Compute all rows and store them."""
    content = {"versions": versions(), "functions": list(COLUMNS), "models": {}}
    for model in models():
        content["models"][model.key] = row(model)
        print(model.key, len(content["models"][model.key]), flush=True)
    TABLE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
