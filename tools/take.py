"""Writes what a reader takes along into the built site, and links it from the first page.

.venv/bin/python tools/take.py [SITE]     `make take` builds the site before

SITE/take/normalization-lab.zip has the whole site, which works from a disk; the other zip file has
the figure of each claim as SVG and PNG. The same site and evidence give the same bytes, but for
what another Chromium makes of a PNG. The book as a PDF is made by tools/pdf.py; it is linked, too,
if it is there.
"""

import re
import sys
import zipfile

from browser import FOLDER, FRONT, ROOT, chromium, find_chromium, find_site, write_whole

from bnlab import claims, show
from bnlab.store import write_text

BOOK, FIGURES = "normalization-lab.zip", "normalization-lab-figures.zip"
PDF = "normalization-lab.pdf"
WORDS = {
    PDF: "the book as a PDF",
    BOOK: "the whole site as a zip file, which opens from a disk",
    FIGURES: "all figures as a zip file",
}
PLACE = re.compile(r"(<!-- take -->).*?(<!-- end take -->)", re.DOTALL)
DAY = (1980, 1, 1, 0, 0, 0)  # the first that a zip knows
SCALE = 3  # pixels of a PNG for a pixel of the figure
LICENCE = "The Normalization Lab, CC BY 4.0. Each panel is a file, named by claim and letter.\n"


def pack(path, files):
    """Write (name, content) pairs as a zip, whole or not at all."""

    def fill(part):
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                info = zipfile.ZipInfo(name, DAY)
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(info, content)

    write_whole(path, fill)


def site_files(site):
    """Yield names and contents of the site, without what this tool has added to it."""
    front = site / FRONT
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        name = path.relative_to(site)
        if name.parts[0] == FOLDER:
            continue
        content = path.read_bytes()
        if path == front:
            content = with_links(content.decode("utf-8"), "").encode("utf-8")
        yield f"normalization-lab/{name.as_posix()}", content


def alone(svg):
    """Return the SVG of a panel as a file: its colours are those of a light page, on white."""
    svg = re.sub(r"var\(--[\w-]+, (#\w+)\)", r"\1", svg).replace("currentColor", "#000000")
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
    head, body = svg.split(">", 1)
    ground = '<rect width="100%" height="100%" fill="#ffffff"/>'
    return f'{head} width="{width}pt" height="{height}pt">{ground}{body}'


def panels(names):
    """Yield the panels of each claim's figure, as (name, SVG) pairs, and what the figure shows."""
    for name in names:
        drawing = show.plot(claims.load(name))
        letters = "abcdefgh" if len(drawing.svgs) > 1 else [""]
        stems = [f"{name}{letter}" for letter, _ in zip(letters, drawing.svgs, strict=False)]
        yield list(zip(stems, map(alone, drawing.svgs), strict=True)), words(name, drawing)


def words(name, drawing):
    """What a figure shows, for those who have only the files."""
    return f"{name}: {claims.CLAIMS[name].sentence}\n{drawing.alt}\n{drawing.caption}\n"


def figure_files(names, browser):
    """Yield names and contents of the figures: SVG, PNG, and a text that says what they show."""
    page = browser.new_page(device_scale_factor=SCALE)
    said = [LICENCE]
    for drawn, text in panels(names):
        said.append(text)
        for stem, svg in drawn:
            page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{svg}")
            yield f"figures/{stem}.svg", svg.encode("utf-8")
            yield f"figures/{stem}.png", page.locator("svg").screenshot()
    yield "figures/figures.txt", "\n".join(said).encode("utf-8")


def with_links(html, links):
    """Return the first page with these links at their place."""
    if not PLACE.search(html):
        sys.exit("The first page has no place for the links: build the site anew, 'make book'.")
    return PLACE.sub(lambda found: f"{found[1]}{links}{found[2]}", html)


def links(site):
    """The line for the first page, with the sizes of the files that are there."""
    there = [name for name in WORDS if (site / FOLDER / name).is_file()]
    parts = [
        f'<a href="../{FOLDER}/{name}">{WORDS[name]}</a> ({size(site / FOLDER / name)})'
        for name in there
    ]
    *first, last = parts
    listed = f"{', '.join(first)}{' and ' if first else ''}{last}"
    return f'<p class="bnlab-take">To take along: {listed}.</p>'


def size(path):
    """The size of a file in words."""
    return f"{max(1, round(path.stat().st_size / 1e6))}\u00a0MB"


def main(arguments):
    """Write the two files and link them."""
    site = find_site(arguments)
    find_chromium()
    with_links((site / FRONT).read_text(encoding="utf-8"), "")  # before anything is written
    pack(site / FOLDER / BOOK, site_files(site))
    names = [name for name in show.FIGURES if (ROOT / "results" / f"{name}.json").exists()]
    with chromium() as browser:
        pack(site / FOLDER / FIGURES, figure_files(names, browser))
    html = (site / FRONT).read_text(encoding="utf-8")
    write_text(site / FRONT, with_links(html, links(site)))
    print(f"Wrote {BOOK} and {FIGURES} into {site / FOLDER}.")


if __name__ == "__main__":
    main(sys.argv[1:])
