"""Every kind of net trains to the same bits in a browser and in Python, over 1,000 steps."""

import pytest
from playwright.sync_api import Page

from tests.engines.compiled import bits_cases
from tests.web.site_server import serve

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
pytestmark = pytest.mark.web

TRAIN = """async (tasks) => {
  const { trained } = await import("./trained.mjs");
  const file = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
  return trained(file, tasks);
}"""


def test_every_kind_of_net_trains_to_the_same_bits_in_a_browser(page: Page, tmp_path):
    bits_cases.write(tmp_path)
    (tmp_path / "index.html").write_text("<!doctype html><title>bits</title>")
    with bits_cases.from_files(), serve(tmp_path) as address:
        page.goto(f"{address}/index.html")
        bits_cases.compared(page.evaluate(TRAIN, bits_cases.tasks()))
