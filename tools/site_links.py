"""Sphinx extension: the scoreboard's links lead somewhere on the site, also without a network.

A notebook links to other notebooks and to ``../results``, as they lie in the repository. On the
site the pages are HTML, and the evidence is copied to the same place beside the book.
"""

import re
import shutil
from pathlib import Path

PAGE = re.compile(r'(<a class="bnlab-page" href="[\w./-]+)\.ipynb(#[\w-]+)?"')


def to_pages(app, pagename, templatename, context, doctree):
    """Let links to notebooks in an output lead to their pages."""
    if "body" in context:
        context["body"] = PAGE.sub(r'\1.html\2"', context["body"])


def copy_evidence(app, error):
    """Copy the evidence into the built site."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "results"
        shutil.rmtree(target, ignore_errors=True)
        unfinished = shutil.ignore_patterns(".*")
        shutil.copytree(Path(app.srcdir) / "results", target, ignore=unfinished)


def setup(app):
    """Connect to Sphinx."""
    app.connect("html-page-context", to_pages)
    app.connect("build-finished", copy_evidence)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
