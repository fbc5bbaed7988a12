"""The figures of memory and of floating-point operations: which kind of layer has how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bnlab.draw.figure import INK, Drawing, draw, panel

MOST = 8  # bars; what is smaller goes together
WIDTH, LETTER, TEXT = 4.7, 0.11, 1.6  # inches: the figure, a letter of a name, the text at a bar


def readable_bytes(size: float) -> str:
    """Write 1536 as '1.5 KiB'."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if size >= 100 else f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def readable_count(count: float) -> str:
    """Write 1500 as '1.5 thousand'."""
    for unit in ("", " thousand", " million"):
        if count < 1000:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g} billion"


def _percent(share: float) -> str:
    if 0 < share < 0.005 or 0.995 < share < 1:  # rounding would hide a part, or the rest
        return "<1 %" if share < 0.5 else ">99 %"
    return f"{100 * share:.0f} %"


def shares(
    sizes: Mapping[str, float], readable: Callable[[float], str], what: str, verb: str, of: str
) -> Drawing:
    """A bar for each name, from the largest down; the largest one's share is the title.

    Args:
        sizes: the parts of a sum, 0 or more.
        readable: writes a size with its unit.
        what: the figure in words, begins with a capital.
        verb: what the layers do: 'keeps'.
        of: of what the share is: 'of the memory'.
    """
    rows = _rows(sizes)
    total = sum(sizes.values())
    texts = [f"{readable(size)} ({_percent(size / total)})" if total else "0" for _, size in rows]
    alt = f"{what}, {readable(total)} in all: "
    alt += "; ".join(f"{name} {text}" for (name, _), text in zip(rows, texts, strict=True)) or "no"
    title = f"Nothing {verb} any"
    if total:
        title = f"{rows[0][0]} {verb} {_percent(rows[0][1] / total)} {of}"
    names = [name for name, _ in rows]
    axes = panel(title, size=(WIDTH, 0.9 + 0.4 * max(len(rows), 1)))
    axes.barh(names, [size for _, size in rows], color=INK, alpha=0.55, height=0.62)
    for place, ((_, size), text) in enumerate(zip(rows, texts, strict=True)):
        offset = {"textcoords": "offset points", "xytext": (5, 0), "va": "center"}
        axes.annotate(text, (size, place), size=11, **offset)
    axes.invert_yaxis()
    longest = max([size for _, size in rows], default=1) or 1
    axes.set(xlim=(0, _stretch(names) * longest), xticks=[])
    axes.spines["bottom"].set_visible(False)
    return draw([axes], alt + ".", f"{what}. In all: {readable(total)}.")


def _stretch(names: list[str]) -> float:
    """How many times as long as the longest bar the axis must be, for the text beside that bar."""
    room = max(WIDTH - LETTER * max(map(len, names), default=0), 2 * TEXT / 1.5)
    return room / (room - TEXT)


def _rows(sizes: Mapping[str, float]) -> list[tuple[str, float]]:
    rows = sorted(sizes.items(), key=lambda row: -row[1])
    rest = sum(size for _, size in rows[MOST - 1 :])
    return rows if len(rows) <= MOST else [*rows[: MOST - 1], ("all others", rest)]
