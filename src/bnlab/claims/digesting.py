"""``digest``: the digests of the final weights behind a claim's rows, which a page compares."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from bnlab import chapters
from bnlab.claims import claim
from bnlab.errors import unknown
from bnlab.verdicts import evidence
from bnlab.verdicts.again import Training, digests, save_digests

REPEATS: dict[str, Callable[[dict], list[Training]]] = {
    name: made
    for of_chapter in chapters.collected("repeats", "REPEATS")
    for name, made in of_chapter.items()
}
"""What gives the trainings of a claim's evidence, by its id."""


def add_command(commands: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """Add ``digest`` to the command."""
    parser = commands.add_parser(
        "digest", help="train the rows of a claim again and write digests of the final weights"
    )
    parser.add_argument("ids", nargs="+", metavar="ID", help=f"one of {', '.join(REPEATS)}")
    return parser


def digest_all(names: list[str], folder: Path) -> None:
    """Write ``digests/ID.json`` for each of these claims.

    Raises:
        ValueError: for a claim whose rows are no trainings that a page repeats, or if a row is not
            that of the evidence: then nothing is written.
    """
    for name in names:
        item = claim(name)
        if name not in REPEATS:
            raise ValueError(unknown("claim whose trainings have digests", name, REPEATS))
        stored = evidence.load(item, folder)
        found = digests(stored, REPEATS[name](stored.data))
        print(
            f"{name}: {len(found)} rows are the same; wrote {save_digests(stored, found, folder)}"
        )
