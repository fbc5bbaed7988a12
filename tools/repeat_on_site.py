"""Repeats verdicts in the pages of the built site, as a reader does, and says what came out.

.venv/bin/python tools/repeat_on_site.py [ID ...]     all of them take twenty minutes on two cores

Each is opened by its link, Repeat is pressed, and the end is waited for. The status is 1 if a
training ended with other weights than those of the evidence, if the words are others, if the page
reported an error, or if it took longer than LIMIT.
"""

import re
import sys
import time

import browser

LIMIT = 3600  # seconds
OPENED = 60
PLACE = re.compile(r'<details id="repeat-(\w+)"')
SAYS = re.compile(r"The evidence says of (\w+: .*)\.")
STATE = """(name) => {
  const inside = `#repeat-${name.toLowerCase()} .bnlab`;
  const text = (part) => document.querySelector(`${inside}-${part}`)?.textContent ?? "";
  const count = (part) => document.querySelectorAll(`${inside}-${part}`).length;
  return {
    told: text("headline"), summary: text("summary"), note: text("note"),
    rows: count("row"), equal: count("row-equal"),
    isDeciding: text("headline").includes("being computed"),
  };
}"""


def places(site):
    """The page of each verdict that can be repeated, by its id."""
    pages = sorted((site / "book").glob("*.html"))
    return {name.upper(): page for page in pages for name in PLACE.findall(page.read_text("utf-8"))}


def wait(page, name, starts, seconds):
    """The state of the widget as soon as its summary starts like this, or after so long."""
    end = time.monotonic() + seconds
    while True:
        state = page.evaluate(STATE, name)
        is_there = state["summary"].startswith(starts) and not state["isDeciding"]
        if is_there or time.monotonic() > end:
            return state
        page.wait_for_timeout(500)


def repeat(page, address, name):
    """Repeat a verdict in its page: its headline at the end, and what is wrong with it or ""."""
    reports = []
    page.on("pageerror", lambda error: reports.append(str(error)))
    page.goto(f"{address}#repeat-{name.lower()}")
    before = wait(page, name, "The verdict on ", OPENED)
    said = SAYS.fullmatch(before["told"])
    if not said:
        return before["told"], f"it does not open: {before} {reports}"
    page.locator(f"#repeat-{name.lower()}").get_by_role("button", name="Repeat", exact=True).click()
    after = wait(page, name, ("Finished", "Broken off"), LIMIT)
    is_same = after["told"].endswith(f"verdict on {said[1]}.")
    if after["equal"] != after["rows"] or not is_same:
        reports.append(f"the evidence says {said[1]}; {after}")
    return after["told"], " ".join(reports)


def main(arguments):
    """Repeat these verdicts, or all of them; return 1 if one does not come out."""
    found, wrong = places(browser.find_site([])), 0
    for name in arguments:
        if name not in found:
            sys.exit(
                f"{name} is repeated on no page of the site. Known: {', '.join(sorted(found))}."
            )
    with browser.chromium() as chrome:
        for name in arguments or found:
            page, start = chrome.new_page(), time.monotonic()
            told, problem = repeat(page, found[name].as_uri(), name)
            page.close()
            print(f"{name:4}{time.monotonic() - start:6.0f} s  {problem or told}", flush=True)
            wrong += bool(problem)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
