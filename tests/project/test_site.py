"""The built files. What a browser makes of them is tested in tests/web."""

import gzip
import re
import xml.etree.ElementTree as ET

from tests.project.repository_files import ROOT

LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|data)=[\"']([^\"']+)"
)
LINK = re.compile(r"<link\b[^>]*>")
COMPILED = re.compile(r'"compiled": "(\w+)"')
CDN = re.compile(
    r"(?:cdn\.jsdelivr\.net|unpkg\.com|cdnjs\.cloudflare\.com|esm\.sh|jspm\.(?:io|dev)|skypack\.dev"
    r"|fonts\.(?:googleapis|gstatic)\.com)"
)


def pages(site):
    found = [p for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]
    assert len(found) > 4
    return found


def test_no_page_loads_anything_from_another_host(site):
    for page in pages(site):
        html = page.read_text(encoding="utf-8")
        loaded = LOADED.findall(html)
        for link in LINK.findall(html):
            if re.search(r'rel="(?:stylesheet|preload|icon|preconnect|modulepreload)"', link):
                loaded += re.findall(r'href="([^"]+)"', link)
        assert loaded
        assert [u for u in loaded if re.match(r"(?:https?:)?//", u)] == [], page.name
        assert not CDN.search(html), page.name


def test_no_script_or_style_that_is_served_names_a_cdn(site):
    vendored = site / "_static" / "vendor"
    for path in (site / "_static").rglob("*"):
        if path.suffix in (".js", ".css") and vendored not in path.parents:
            found = CDN.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.name}: {found.group()}"


def test_every_local_file_that_a_page_loads_is_there(site):
    for page in pages(site):
        html = page.read_text(encoding="utf-8")
        loaded = LOADED.findall(html) + re.findall(r'<link\b[^>]*?href="([^"#]+)"', html)
        for url in loaded:
            if not url.startswith(("data:", "http")):
                assert (page.parent / url.split("?")[0].split("#")[0]).exists(), f"{page}: {url}"


def test_every_icon_that_a_page_shows_is_in_the_cut_down_set(site):
    style = (ROOT / "assets/vendor/icons/icons.css").read_text(encoding="utf-8")
    kept = set(re.findall(r"\.(fa-[\w-]+)", style))
    shown = set()
    for page in pages(site):
        for classes in re.findall(r'class="([^"]*\bfa-[^"]*)"', page.read_text(encoding="utf-8")):
            shown |= {name for name in classes.split() if name.startswith("fa-")}
    assert {"fa-bars", "fa-magnifying-glass"} <= shown
    assert shown <= kept


def test_the_light_widget_host_replaces_the_default_one(site):
    with_widgets = [p for p in pages(site) if "widget-view+json" in p.read_text(encoding="utf-8")]
    assert with_widgets
    for page in with_widgets:
        html = page.read_text(encoding="utf-8")
        assert "anywidget-host.js" in html
        assert "html-manager" not in html
        assert "require.js" not in html


def test_a_page_and_what_it_loads_at_first_is_small(site):
    """Limit 0.8 MB gzipped, fonts of formulas (0.1 MB) and replayed runs (0.4 MB) not counted.

    With the nets that it trains, which take the place of replayed runs, it is 0.7 MB.
    """
    for page in pages(site):
        html = page.read_text(encoding="utf-8")
        urls = LOADED.findall(html) + re.findall(r'rel="stylesheet"[^>]*?href="([^"]+)"', html)
        urls += re.findall(r'href="([^"]+)" rel="stylesheet"', html)
        files = {page.parent / url.split("?")[0] for url in urls if not url.startswith("data:")}
        size = sum(len(gzip.compress(path.read_bytes())) for path in {page, *files})
        if "mathjax" in html.lower():
            parts = ["core.js", "input/tex.js", "output/chtml.js", "output/chtml/fonts/tex.js"]
            folder = site / "_static/vendor/mathjax"
            size += sum(len(gzip.compress((folder / part).read_bytes())) for part in parts)
        assert size < 0.45e6, f"{page.name}: {size / 1e6:.2f} MB"
        nets = {site / f"_static/compiled/{name}.js" for name in COMPILED.findall(html)}
        size += sum(len(gzip.compress(path.read_bytes())) for path in nets)
        assert size < 0.7e6, f"{page.name} with its nets: {size / 1e6:.2f} MB"


def test_the_favicon_is_a_drawing():
    root = ET.parse(ROOT / "assets/favicon.svg").getroot()
    assert root.tag.endswith("svg")
