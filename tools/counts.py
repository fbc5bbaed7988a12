"""Writes how many claims, papers and chapters there are wherever a page says so.

.venv/bin/python tools/counts.py            write every number anew
.venv/bin/python tools/counts.py --check    list the places that say something else

A number stands between two comments that no reader sees, in digits or as a word:
<!-- count: claims -->47<!-- end --> or <!-- count: papers in words -->nine<!-- end -->.
``BARE`` are places that cannot have comments.
"""

import argparse
import importlib
import re
import sys
from pathlib import Path

from bnlab import chapters
from bnlab.claims import CLAIMS
from bnlab.claims.standings import papers_of, standings, totals

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CITATION.cff",
    "book/*.md",
    "book/*.ipynb",
    "tools/paper/*.html",
)
PLACE = re.compile(
    r"(?P<head><!-- count: (?P<name>[a-z ]+?) -->)"
    r"(?P<said>[^<]*)(?P<end><!-- end -->)"
)
BARE = (
    ("CITATION.cff", r"(?<=what )\w+(?= papers say)", "papers in words"),
    ("book/references.md", r"(?<=^## The )\w+(?= papers$)", "papers in words"),
    ("book/references.md", r'(?<=key % ")[^"]*(?=")', "keys"),
)
WORDS = (
    *("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
)


def counts(root=ROOT):
    """Return the numbers, and lists, by name: from the claims, their evidence and the notebooks."""
    sums = totals(standings(CLAIMS, root / "results"))
    notebooks = {path.stem[3:] for path in (root / "book").glob("[0-9][0-9]_*.ipynb")}
    written = [name for name in chapters.ALL if name in notebooks]
    return {
        "claims": sums["claims"],
        "measured claims": sums["measured"],
        "papers": sums["papers"],
        "measured papers": sums["measured_papers"],
        "chapters": len(notebooks),
        "topics": ", ".join(importlib.import_module(f"bnlab.chapters.{n}").TOPIC for n in written),
        "keys": "|".join(papers_of(CLAIMS.values())),
    }


def rewritten(text, numbers):
    """Return the text with every number as it is now; an unknown name is an error."""

    def renewed(match):
        return f"{match['head']}{written(match['name'], numbers)}{match['end']}"

    return PLACE.sub(renewed, text)


def written(name, numbers):
    """Return a number in digits or, where ``in words`` follows its name, as a word."""
    plain = name.removesuffix(" in words")
    if plain not in numbers:
        raise ValueError(f"no count is called {plain!r}: {', '.join(numbers)} are.")
    number = numbers[plain]
    return WORDS[number] if plain != name and number < len(WORDS) else str(number)


def differing(root=ROOT):
    """Yield (path, new text) of each page with a number that is not true any more."""
    numbers = counts(root)
    for path in sorted(path for pattern in PAGES for path in root.glob(pattern)):
        text = path.read_text(encoding="utf-8")
        new = rewritten(text, numbers)
        for page, pattern, name in BARE:
            if path == root / page:
                new = re.sub(pattern, written(name, numbers), new, flags=re.MULTILINE)
        if new != text:
            yield path, new


def main(arguments=None):
    """Write or check; return the exit status."""
    parser = argparse.ArgumentParser(description="How many claims, papers and chapters there are.")
    parser.add_argument("--check", action="store_true", help="list what is not true any more")
    check = parser.parse_args(arguments).check
    found = list(differing())
    for path, new in found:
        name = path.relative_to(ROOT).as_posix()
        if check:
            print(f"{name} has old counts: run 'python tools/counts.py'.")
        else:
            path.write_text(new, encoding="utf-8")
            print(f"wrote {name}")
    return int(check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
