"""``python -m bnlab.claims list`` and ``python -m bnlab.claims measure B1 B2``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from bnlab.claims import CLAIMS, claim, evidence
from bnlab.store import write_text


def show_all() -> None:
    """Print each claim with its verdict, computed from its evidence."""
    for item in CLAIMS.values():
        try:
            print(evidence.load(item).verdict)
        except FileNotFoundError:
            print(f"{item.id}: not measured yet")


def measure_all(names: list[str], folder: Path) -> None:
    """Measure claims and write their evidence; a folder that cannot be written fails first."""
    items = [claim(name) for name in names]
    write_text(folder / ".writable", "")
    (folder / ".writable").unlink()
    for item in items:
        result = evidence.measure(item, progress=tqdm)
        print(f"wrote {result.save(folder)}\n{result.verdict}")


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.claims", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every claim with its verdict")
    one = commands.add_parser("measure", help="measure claims and write results/ID.json")
    one.add_argument("ids", nargs="+", metavar="ID", help=f"of {', '.join(CLAIMS)}")
    one.add_argument("--output", type=Path, help="folder (default: the book's results/)")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "list":
            show_all()
        else:
            measure_all(chosen.ids, chosen.output or evidence.results_folder())
    except (ValueError, RuntimeError, OSError) as error:
        print(f"bnlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bnlab: stopped; no evidence was written.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
