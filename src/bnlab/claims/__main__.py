"""The claims of the papers: ``list`` them, ``measure`` some anew, ``check`` the evidence.

``judge`` applies a changed rule to stored rows, ``code`` lists what makes the numbers of a claim.
``repeat`` trains rows of a claim once more, ``digest`` writes what a page compares its own with.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from bnlab.claims import CLAIMS, claim, digesting, repeating
from bnlab.claims.measuring import ALL, kind, measure_all, own_folder, wanted
from bnlab.data.cifar import SIZES
from bnlab.errors import unknown
from bnlab.sweep.executors import cores
from bnlab.verdicts import audit, evidence
from bnlab.verdicts.provenance import closure
from bnlab.verdicts.verdict import DIGITS, LEAST_SEEDS, Claim

MOST_SEEDS = 10_000
MOST_PROCESSES = 8  # a core


def show_all(paper: str | None) -> None:
    """Print each claim with its verdict, computed from its evidence, or why it has none."""
    for item in chosen(paper):
        found = [scale for scale in item.scales if evidence.is_there(item, scale)]
        for scale in found:
            print(evidence.load(item, scale=scale).verdict)
        if DIGITS not in found:
            print(f"{item.id}: {item.without_evidence}. {item.sentence}")
            if item.untestable:
                print(f"  {item.untestable} Instead: {item.instead}")


def chosen(paper: str | None) -> list[Claim]:
    """The claims of a paper, named by its key or its authors, or all."""
    found = [
        item
        for item in CLAIMS.values()
        if not paper or paper == item.paper or paper.lower() in item.authors.lower()
    ]
    if not found:
        papers = dict.fromkeys(item.paper for item in CLAIMS.values())
        raise ValueError(unknown("paper", paper, papers))
    return found


def judge_all(names: list[str], folder: Path) -> None:
    """Judge stored rows by today's rule; the verdict before stays in the file."""
    for item in [claim(name) for name in names] or list(CLAIMS.values()):
        for scale in item.scales:
            if (folder / evidence.file_name(item, scale)).exists():
                stored = evidence.load(item, folder, scale)
                new = evidence.judged(stored)
                if new is not stored:
                    print(f"wrote {new.save(folder)}")
                print(stored.verdict)


def check_all(names: list[str], folder: Path, again: int, stamps: bool) -> bool:
    """Print what the checks found; whether all holds."""
    items = [claim(name) for name in names] or list(CLAIMS.values())
    reports: Iterable[audit.Report] = audit.check_all(items, folder, again, stamps)
    holds, count = True, 0
    for report in (*reports, *(() if names else audit.foreign_files(items, folder))):
        holds, count = holds and not report.wrong, count + 1
        print(report)
    print(f"{count} checked: " + ("all hold." if holds else "see above for what changed."))
    return holds


def show_code(names: list[str]) -> None:
    """Print which definitions, of which modules, make the numbers of claims."""
    for item in map(claim, names):
        if item.measure is None:
            raise ValueError(f"claim {item.id} has no measurement yet.")
        print(f"{item.id}: {closure(item.measure)}")


def seeds(text: str) -> list[int]:
    """``300-307`` or ``300,301,305``: different seeds, enough for a verdict."""
    try:
        found = []
        for part in text.split(","):
            first, _, last = part.partition("-")
            some = range(int(first), int(last or first) + 1)
            if some.stop - some.start + len(found) > MOST_SEEDS:
                raise argparse.ArgumentTypeError(f"at most {MOST_SEEDS} seeds, got {text!r}")
            found += some
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"write 300-307 or 300,301, got {text!r}") from error
    if len(set(found)) < max(len(found), LEAST_SEEDS):
        raise argparse.ArgumentTypeError(
            f"a verdict needs at least {LEAST_SEEDS} different seeds, got {text!r}"
        )
    return found


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text!r}")
    return int(text)


def process_count(text: str) -> int:
    """How many processes at once: no more than a machine can hold."""
    if (count := positive(text)) > MOST_PROCESSES * cores():
        raise argparse.ArgumentTypeError(
            f"this machine has {cores()} cores: at most {MOST_PROCESSES * cores()} processes, "
            f"got {text!r}"
        )
    return count


def size(text: str) -> int:
    """Height and width of the images."""
    known = [str(one) for one in SIZES]
    if text not in known:
        raise argparse.ArgumentTypeError(
            f"CIFAR-10 has images of {' or '.join(known)} pixels a side, got {text!r}"
        )
    return int(text)


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.claims", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("list", help="every claim with its verdict")
    show.add_argument("--paper", help="only this one: bjorck2018, or a name")
    one = commands.add_parser(
        "measure", help="measure claims and write results/ID.json; interrupted, it resumes"
    )
    one.add_argument(
        "ids", nargs="+", metavar="ID", help=f"such as B1; {ALL}: each that has the scale"
    )
    one.add_argument("--seeds", type=seeds, help="300-307 or 300,301,...; default: the claim's own")
    one.add_argument("--scale", help="digits or cifar10, where a claim has it")
    one.add_argument("--device", help="cpu, cuda or auto; on a GPU into a folder of its own")
    one.add_argument(
        "--image-size", type=size, help="32 or 16, of CIFAR-10; into a folder of its own"
    )
    one.add_argument("--engine", help="where a claim has the choice; into a folder of its own")
    one.add_argument("--processes", type=process_count, default=1, help="at once (default 1)")
    one.add_argument("--dry-run", action="store_true", help="say how long it would take, about")
    test = commands.add_parser(
        "check", help="fail if a verdict no longer follows, or its Run, effects or code changed"
    )
    test.add_argument("ids", nargs="*", metavar="ID", help="default: all")
    test.add_argument(
        "--repeat", type=positive, default=0, metavar="N", help="measure N seeds of each again"
    )
    test.add_argument(
        "--stamp", action="store_true", help="where they are the same, let today's code vouch"
    )
    rule = commands.add_parser(
        "judge", help="judge stored rows by today's rule, keeping the earlier verdict beside"
    )
    rule.add_argument("ids", nargs="*", metavar="ID", help="default: all")
    code = commands.add_parser("code", help="the definitions that make the numbers of claims")
    code.add_argument("ids", nargs="+", metavar="ID", help="such as B1")
    again = repeating.add_command(commands, positive)
    for command in (one, test, rule, again, digesting.add_command(commands)):
        command.add_argument("--output", "--results", type=Path, help="folder of the evidence")
    return parser


def run(given: argparse.Namespace) -> int:
    """Do what the command line says; the exit status."""
    if given.command == "list":
        show_all(given.paper)
        return 0
    if given.command == "code":
        show_code(given.ids)
        return 0
    folder = given.output or evidence.results_folder()
    if given.command == "repeat":
        return 0 if repeating.repeat(given.id, folder, given.seeds, given.scale) else 1
    if given.command == "digest":
        digesting.digest_all(given.ids, folder)
        return 0
    if given.command == "judge":
        judge_all(given.ids, folder)
        return 0
    if given.command == "check":
        if given.stamp and not given.repeat:
            raise ValueError("--stamp needs --repeat N: only a repeated sample can vouch.")
        return 0 if check_all(given.ids, folder, given.repeat, given.stamp) else 1
    return 0 if measure(given, folder) else 1


def measure(given: argparse.Namespace, folder: Path) -> bool:
    """Measure what the command line names; whether all went well."""
    names = ("seeds", "device", "image_size", "engine")
    options = {name: value for name in names if (value := getattr(given, name))}
    if options.get("device") == "auto":
        options["device"] = kind("auto")
    items = wanted(CLAIMS, given.ids, given.scale or DIGITS)
    if not given.output:
        folder = own_folder(folder, options)
    return measure_all(items, folder, options, given.processes, given.dry_run, ALL in given.ids)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that cannot write every sign
    given = make_parser().parse_args(arguments)
    try:
        status = run(given)
        sys.stdout.flush()
        return status
    except BrokenPipeError as error:  # who read has left, as ``head`` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if given.command != "measure":
            return 0
        print(f"bnlab: {error}: evidence that is not written yet is missing.", file=sys.stderr)
        return 1
    except (ValueError, RuntimeError, OSError) as error:
        print(f"bnlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        resumes = " What is done is kept: the same command goes on from there."
        print(f"bnlab: stopped.{resumes * (given.command == 'measure')}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
