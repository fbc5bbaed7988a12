"""What chapter 12 measures in its page: a supernet of one unit, and not the nets alone."""

from __future__ import annotations

from collections.abc import Mapping

from bnlab.chapters.bn_nas.ranked import COLUMNS


def alone_of(data: Mapping) -> dict:
    """The nets alone of a measurement, for ``earlier``; its supernets are trained anew.

    To train the nets of a unit alone takes about a minute, more than a page may.
    """
    at = COLUMNS.index("trained")
    rows = [[*row[:at], "", *row[at + 1 :]] for row in data["rows"]]
    return {**data, "rows": rows}
