"""What a page with ``widget_page.LISTEN`` has heard from its worker, and what its widget says."""

from __future__ import annotations

from playwright.sync_api import Page

LOST = 0.1  # accuracy of a net that has diverged

NEWEST = """() => {
  const nets = {};
  for (const [name, one] of [...heard.values()].at(-1) ?? []) {
    const net = (nets[name] ??= {});
    for (const [key, value] of Object.entries(one ?? {})) {
      if (Array.isArray(value)) (net[key] ??= []).push(...value);
      else net[key] = value;
    }
  }
  return nets;
}"""


def newest(page: Page) -> dict[str, dict]:
    """What the worker has said about each net of the newest training."""
    return page.evaluate(NEWEST)


def ends(page: Page, what: str = "accuracy") -> dict[str, float]:
    """The last value of each net."""
    nets = newest(page)
    lost = {name for name, net in nets.items() if net.get("diverged_at")}
    return {name: LOST if name in lost else net[what][-1][1] for name, net in nets.items()}


def sentences(page: Page) -> str:
    return page.locator(".bnlab-summary").inner_text()
