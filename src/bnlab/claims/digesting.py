"""``digest``: the digests of the final weights behind a claim's rows, which a page compares."""

from __future__ import annotations

import argparse
from pathlib import Path

from bnlab import chapters
from bnlab.claims import claim
from bnlab.errors import unknown
from bnlab.verdicts import evidence
from bnlab.verdicts.again import digests, save_digests


def add_command(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add ``digest`` to the command."""
    parser = commands.add_parser(
        "digest", help="train the rows of a claim again and write digests of the final weights"
    )
    known = ", ".join(chapters.repeats())
    parser.add_argument("ids", nargs="+", metavar="ID", help=f"one of {known}")
    return parser


def digest_all(names: list[str], folder: Path) -> None:
    """Write ``digests/ID.json`` for each of these claims.

    Raises:
        ValueError: for a claim whose rows are no trainings that a page repeats, or if a row is not
            that of the evidence: then nothing is written.
    """
    known = chapters.repeats()
    for name in names:
        item = claim(name)
        if name not in known:
            raise ValueError(unknown("claim whose trainings have digests", name, known))
        stored = evidence.load(item, folder)
        found = digests(stored, known[name](stored.data))
        path = save_digests(stored, found, folder)
        print(f"{name}: {len(found)} rows are the same; wrote {path}")
