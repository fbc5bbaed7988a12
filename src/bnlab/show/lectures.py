"""For lecturers: the scenes of all chapters with the time of each, and plans of lectures."""

from __future__ import annotations

import html

from bnlab.arguments import checked
from bnlab.chapters import scenes_of
from bnlab.draw.scene import Scene
from bnlab.draw.shown import Shown, fill
from bnlab.errors import unknown

MINUTES = 5
"""Of a demonstration: the first at the board, the others shared equally by its scenes."""

LECTURE = 45
"""Minutes of a lecture."""

PAGES = {
    "index": "The first page",
    "01_the_family": "Which numbers share one mean?",
    "the_layer": "What the layer computes, forwards and backwards",
    "02_signals": "Signals before the first step",
    "03_learning_rates": "Larger learning rates",
    "04_covariate_shift": "Steady inputs of the layers",
    "05_smoothness": "A smoother loss",
    "06_mean_field": "The largest stable rate",
    "07_batch_renorm": "Statistics of two samples",
    "08_group_size": "Small groups or one large one",
    "09_mimicnorm": "Two cheap operations",
    "10_lawn": "Weights that may not grow",
    "11_binary_nets": "Binary nets",
    "12_bn_nas": "Choosing an architecture",
    "13_scoreboard": "So why does BatchNorm work?",
    "14_clinic": "When normalization goes wrong",
    "which_normalizer": "Which normalizer should I use?",
}
"""What a lecturer can show, in the order of the book: the files, with short titles."""

PLANS = {
    1: (
        {
            "index": 5,
            "01_the_family": 10,
            "the_layer": 10,
            "03_learning_rates": 10,
            "14_clinic": 5,
            "which_normalizer": 5,
        },
    ),
    2: (
        {
            "index": 5,
            "01_the_family": 10,
            "the_layer": 10,
            "02_signals": 10,
            "03_learning_rates": 10,
        },
        {
            "04_covariate_shift": 10,
            "05_smoothness": 10,
            "07_batch_renorm": 10,
            "13_scoreboard": 5,
            "14_clinic": 5,
            "which_normalizer": 5,
        },
    ),
    6: (
        {"index": 5, "01_the_family": 20, "the_layer": 20},
        {"02_signals": 25, "08_group_size": 20},
        {"03_learning_rates": 25, "06_mean_field": 20},
        {"04_covariate_shift": 20, "05_smoothness": 25},
        {"07_batch_renorm": 20, "09_mimicnorm": 15, "10_lawn": 10},
        {
            "11_binary_nets": 10,
            "12_bn_nas": 10,
            "13_scoreboard": 10,
            "14_clinic": 10,
            "which_normalizer": 5,
        },
    ),
}
"""By the number of lectures: for each of them the minutes on each page."""

WITHOUT_SCENES = ("the_layer", "13_scoreboard", "which_normalizer")

CSS = (
    ".bnlab-table.bnlab-lectures td:last-child{white-space:normal}"
    ".bnlab-lectures tbody th{padding-top:.8em}"
)


def demonstrations() -> Shown:
    """The scenes of all chapters in order: when each begins, what to ask, what is seen.

    On the site each scene is a link to its state, and each chapter has a link to its widget alone.
    """
    found = [(page, scenes_of(_folder(page))) for page in PAGES if page not in WITHOUT_SCENES]
    body = "".join(_chapter(page, one.WIDGET, one.SCENES) for page, one in found)
    text = "\n".join(_text(page, one.SCENES) for page, one in found)
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Minute", "Scene", "Ask", "Seen"))
    table = f"<table><thead><tr>{head}</tr></thead>{body}</table>"
    page = f'<style>{CSS}</style><div class="bnlab-table bnlab-lectures">{table}</div>'
    return Shown(page, text)


@checked
def plan(lectures: int) -> Shown:
    """What to show in so many lectures of 45 minutes, with the minutes of each page.

    Args:
        lectures: 1, 2 or 6.

    Raises:
        ValueError: for another number.
    """
    if lectures not in PLANS:
        raise ValueError(unknown("plan for a number of lectures", lectures, PLANS))
    page, lines = "", []
    for number, minutes in enumerate(PLANS[lectures], 1):
        if lectures > 1:
            page += f"<p><b>Lecture {number}</b></p>"
            lines.append(f"Lecture {number}")
        page += f"<ul>{''.join(map(_stop, minutes, minutes.values()))}</ul>"
        lines += [f"- {PAGES[name]} ({time} minutes)" for name, time in minutes.items()]
    return Shown(page, "\n".join(lines))


def beginnings(count: int) -> list[str]:
    """The times at which so many scenes begin, as minutes and seconds: 1:00, 2:20, 3:40."""
    seconds = [60 + 60 * (MINUTES - 1) * k // count for k in range(count)]
    return [f"{second // 60}:{second % 60:02}" for second in seconds]


def _folder(page: str) -> str:
    """Of the chapter with this page: ``signals`` of ``02_signals``."""
    number, _, name = page.partition("_")
    return name if number.isdigit() else page


def _stop(page: str, minutes: int) -> str:
    return f'<li><a href="{page}.html">{html.escape(PAGES[page])}</a> ({minutes} minutes)</li>'


def _chapter(page: str, widget: str, scenes: tuple[Scene, ...]) -> str:
    """The rows of a chapter below its name."""
    alone = f'<a href="{page}.html?embed={widget}#{widget}?scene=1">widget alone</a>'
    name = f'<a href="{page}.html">{html.escape(PAGES[page])}</a>'
    rows = "".join(
        _row(f"{page}.html#{widget}?scene={number}", start, scene)
        for number, (start, scene) in enumerate(_timed(scenes), 1)
    )
    head = f'<tr><th scope="rowgroup" colspan="4">{name} ({alone})</th></tr>'
    return f"<tbody>{head}{rows}</tbody>"


def _row(address: str, start: str, scene: Scene) -> str:
    label, ask, says = map(html.escape, (scene.label, scene.ask, scene.says))
    cells = {"Minute": start, "Scene": f'<a href="{address}">{label}</a>', "Ask": ask, "Seen": says}
    inner = "".join(f'<td data-column="{name}">{cell}</td>' for name, cell in cells.items())
    return f"<tr>{inner}</tr>"


def _text(page: str, scenes: tuple[Scene, ...]) -> str:
    lines = [f"- {start} {one.label}: {one.ask} {one.says}" for start, one in _timed(scenes)]
    return "\n".join([PAGES[page], *map(fill, lines)])


def _timed(scenes: tuple[Scene, ...]) -> list[tuple[str, Scene]]:
    return list(zip(beginnings(len(scenes)), scenes, strict=True))
