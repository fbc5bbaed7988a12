"""Makes what the website needs to show the widgets without Python.

``python -m bnlab.lab page`` writes the compiled nets that train in the page, ``python -m bnlab.lab
replay NAME`` the stored runs of a widget, and ``python -m bnlab.lab first`` what widgets show where
nothing can be computed.
"""

from __future__ import annotations

import argparse
import sys

from bnlab.lab import site
from bnlab.lab.kit import first, page, replay


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bnlab.lab", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    page.add_command(commands, site.jobs())
    replay.add_command(commands, site.stored())
    first.add_command(commands, site.firsts())
    given = parser.parse_args(arguments)
    return given.run(given)


if __name__ == "__main__":
    sys.exit(main())
