"""Compile the nets of the book, compare them with PyTorch, or write one in JavaScript.

    python -m bnlab.engines.compiled build              write them to the package (many minutes)
    python -m bnlab.engines.compiled build groups       this set of nets alone
    python -m bnlab.engines.compiled build --folder F   elsewhere, a folder for each set
    python -m bnlab.engines.compiled compare            steps against PyTorch (about five minutes)
    python -m bnlab.engines.compiled compare batch rms  only these normalizers
    python -m bnlab.engines.compiled debug "mlp 2x16 batch" [FILE]  one step in JavaScript

``compare`` trains MLPs of all depths, and where there is a compiler small plain and residual nets
and MLPs with each normalizer of weights, at several batch sizes, from fresh and trained states, in
both precisions. The exit status is 1 if a step is not PyTorch's.

``debug`` writes a file that ``node`` runs: the kernels of a net, its gradient program, initial
state and first batch. It needs no compiler.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from bnlab.engines.compiled import artefact, page_sets
from bnlab.engines.compiled.catalogue import small_nets
from bnlab.engines.compiled.compare import LIMITS, Finding, findings
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.compiler.graph import NotSupportedError
from bnlab.engines.compiled.debug import net_of, write
from bnlab.engines.compiled.machine import REALS
from bnlab.engines.compiled.nets import compile_nets
from bnlab.engines.compiled.page_sets import ALL_SETS
from bnlab.errors import check_name
from bnlab.norms import NORMS


def compare(norms: list[str]) -> int:
    """Compare, print the worst of each normalizer, and return 0 if every step is PyTorch's."""
    for name in norms:
        check_name("normalizer", name, NORMS)
    all_hold = True
    for name in norms or NORMS:
        for kind, what in ALL_SETS.items():
            nets = [net for net in page_sets.nets(kind) if net.norm == name]
            found = findings(artefact.load(page_sets.FOLDERS[kind]), nets, LIMITS)
            all_hold &= not nets or _reported(f"{name}, {what}", found)
        others = [net for net in small_nets() if net.norm == name]
        if has_compiler():
            store, _ = compile_nets(others)
            all_hold &= _reported(f"{name}, other nets", findings(store, others, LIMITS))
    print("Every step is PyTorch's." if all_hold else "Some steps are not PyTorch's.")
    return 0 if all_hold else 1


def _reported(what: str, found: Iterable[Finding]) -> bool:
    found = list(found)
    for precision, limit in LIMITS.items():
        rows = [f for f in found if f.precision == precision]
        sure = [f.error for f in rows if not f.own] or [0.0]
        unsure = [f for f in rows if f.own]
        text = f"{what}, {precision}: {len(rows)} steps, worst {max(sure):.1e}"
        if unsure:
            worst = max(unsure, key=lambda f: f.error / f.own)
            text += (
                f"; {len(unsure)} beyond {limit:.0e}, at most {worst.error / worst.own:.1f} times "
                "what PyTorch's own step moves with the last digits of its weights"
            )
        print(text, flush=True)
    for wrong in (f for f in found if not f.holds):
        print(f"WRONG: {wrong}")
    return all(f.holds for f in found)


def in_javascript(chosen: argparse.Namespace) -> Path:
    """Write the module that ``debug`` asks for, and return its path."""
    path = chosen.file or Path(f"{chosen.net.replace(' ', '-')}.mjs")
    write(path, net_of(chosen.net), chosen.batch_size, chosen.precision, chosen.seed)
    return path


def main(arguments: list[str] | None = None) -> int:
    """The command line; see the head of this module."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.engines.compiled", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="compile the nets of the book")
    build.add_argument("sets", nargs="*", help=f"of {', '.join(ALL_SETS)}; all if none is named")
    build.add_argument("--folder", type=Path, help="by default that of the package")
    against = commands.add_parser("compare", help="compare compiled nets with PyTorch")
    against.add_argument("norms", nargs="*", help="normalizers; all if none is named")
    debug = commands.add_parser("debug", help="write the gradient step of a net in JavaScript")
    debug.add_argument("net", help="such as 'mlp 2x16 batch'")
    debug.add_argument("file", nargs="?", type=Path, help="by default the net's name, .mjs")
    debug.add_argument("--batch-size", type=int, default=32)
    debug.add_argument("--precision", choices=REALS, default="float64")
    debug.add_argument("--seed", type=int, default=0, help="of the weights and the batch")
    chosen = parser.parse_args(arguments)
    if chosen.command == "debug":
        try:
            print(f"node {in_javascript(chosen)}")
        except (ValueError, NotSupportedError) as error:
            parser.error(str(error))
        return 0
    if chosen.command == "compare":
        return compare(chosen.norms)
    for name in chosen.sets:
        check_name("set of nets", name, ALL_SETS)
    for name in chosen.sets or ALL_SETS:
        folder = chosen.folder / name if chosen.folder else None
        page_sets.build(name, folder, lambda net: print(net.key, flush=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
