"""Cuts Font Awesome down to the few icons that the site's theme shows.

The theme would load 0.8 MB (gzipped) of icons on every page, and browsers refuse its font files
under file://. The icons in use fit into one small style sheet that carries its fonts inside.
"""

import base64
import io
import re

SOLID = [
    "angle-down",
    "angle-left",
    "angle-right",
    "arrow-up",
    "arrow-up-right-from-square",
    "bars",
    "bell",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "circle-check",
    "circle-exclamation",
    "circle-half-stroke",
    "circle-info",
    "circle-xmark",
    "code",
    "download",
    "expand",
    "file",
    "file-pdf",
    "lightbulb",
    "list",
    "magnifying-glass",
    "magnifying-glass-minus",
    "moon",
    "pencil",
    "pencil-alt",
    "print",
    "rocket",
    "share",
    "sun",
    "triangle-exclamation",
    "xmark",
]
BRANDS = ["github"]

RULES = """\
/* Icons of Font Awesome Free 6 by Fonticons, Inc., cut down by tools/icons.py: see LICENSE.txt. */
:root { --fa-font-solid: normal 900 1em/1 "Font Awesome 6 Free"; }
.fa-solid, .fas, .fa-brands, .fab {
  display: inline-block; font-style: normal; font-variant: normal; line-height: 1;
  text-rendering: auto; -webkit-font-smoothing: antialiased;
}
.fa-solid, .fas { font-family: "Font Awesome 6 Free"; font-weight: 900; }
.fa-brands, .fab { font-family: "Font Awesome 6 Brands"; font-weight: 400; }
.fa-lg { font-size: 1.25em; line-height: 0.05em; vertical-align: -0.075em; }
"""
FACE = """\
@font-face {{
  font-family: "{family}"; font-weight: {weight}; font-display: block;
  src: url("data:font/woff;base64,{data}") format("woff");
}}
"""


def codes(style, names):
    """Map icon names to code points, read from Font Awesome's own style sheet."""
    found = {}
    for selectors, code in re.findall(r'([^{}]+)\{content:"\\([0-9a-f]+)"\}', style):
        for name in re.findall(r"\.fa-([\w-]+):+before", selectors):
            found[name] = int(code, 16)
    return {name: found[name] for name in names}


def subset_font(data, points):
    """Return a WOFF with these glyphs only, renamed as the font's licence asks."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(layout_features=[], notdef_outline=True, name_IDs=["*"])
    font = TTFont(io.BytesIO(data), recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=points)
    cutter.subset(font)
    for record in list(font["name"].names):
        if record.nameID in (1, 3, 4, 6, 16):
            font["name"].setName(
                "BookIcons", record.nameID, record.platformID, record.platEncID, record.langID
            )
    font.flavor = "woff"
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def style_sheet(files):
    """Return the style sheet, given the package's files as {path in the package: content}."""
    style = files["css/all.min.css"].decode()
    fonts = [
        ("Font Awesome 6 Free", 900, "webfonts/fa-solid-900.ttf", SOLID),
        ("Font Awesome 6 Brands", 400, "webfonts/fa-brands-400.ttf", BRANDS),
    ]
    text = RULES
    for family, weight, path, names in fonts:
        points = codes(style, names)
        data = base64.b64encode(subset_font(files[path], points.values())).decode()
        text += FACE.format(family=family, weight=weight, data=data)
        text += "".join(f'.fa-{n}::before {{ content: "\\{c:x}"; }}\n' for n, c in points.items())
    return text.encode()
