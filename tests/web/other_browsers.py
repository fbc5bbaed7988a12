"""Firefox and WebKit, as Debian packages them, behind the few methods that a test of a page needs.

Playwright has builds of its own of both, which differ from what readers have. Firefox speaks
WebDriver BiDi itself; WebKit has a driver for the older WebDriver, and needs a screen.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.remote.websocket_connection import WebSocketConnection
from selenium.webdriver.webkitgtk.service import Service

PATIENCE = 120  # seconds
WIDTH, HEIGHT = 1280, 900
MINI_BROWSERS = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser"


class Other:
    """A page in a browser."""

    def evaluate(self, function: str, *arguments: object) -> object:
        """What a function of JavaScript gives, or its promise; all of it must fit into JSON."""
        raise NotImplementedError

    def goto(self, address: str) -> None:
        """Open an address, until the page has loaded."""
        raise NotImplementedError

    def press(self, *keys: str) -> None:
        """Press and release keys, one after the other, where the focus is."""
        raise NotImplementedError

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        raise NotImplementedError

    def wait_for(self, function: str, *arguments: object) -> object:
        """Until a function gives something true; that."""
        end = time.monotonic() + PATIENCE
        while not (found := self.evaluate(function, *arguments)):
            assert time.monotonic() < end, f"never true: {function}"
            time.sleep(0.05)
        return found

    def click_on(self, selector: str, text: str = "") -> None:
        """Click in the middle of the first element that is seen, with this text in it."""
        self.click(*self.evaluate(MIDDLE, selector, text))


MIDDLE = """(selector, text) => {
  const one = [...document.querySelectorAll(selector)]
    .find((e) => e.checkVisibility() && e.textContent.includes(text));
  one.scrollIntoView({ block: "center", behavior: "instant" });
  const box = one.getBoundingClientRect();
  return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
}"""


class Firefox(Other):
    """Firefox by its own remote agent, which speaks WebDriver BiDi."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self._connection = connection
        self.ask("session.new", capabilities={})
        # A tab of its own: the first one has no focus, and nothing in it may fill the screen.
        self._context = self.ask("browsingContext.create", type="tab")["context"]
        size = {"width": WIDTH, "height": HEIGHT}
        self.ask("browsingContext.setViewport", context=self._context, viewport=size)

    def ask(self, method: str, **parameters: object) -> dict:
        """The answer to a command."""
        answer = self._connection.send_cmd(method, parameters)
        assert answer["type"] == "success", f"{method}: {answer}"
        return answer["result"]

    def goto(self, address: str) -> None:
        self.ask("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def evaluate(self, function: str, *arguments: object) -> object:
        answer = self.ask(
            "script.callFunction",
            functionDeclaration="async (given) => "
            f"JSON.stringify(await ({function})(...JSON.parse(given))) ?? 'null'",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self._context},
            awaitPromise=True,
        )
        assert answer["type"] == "success", answer.get("exceptionDetails", {}).get("text")
        return json.loads(answer["result"]["value"])

    def press(self, *keys: str) -> None:
        acts = [{"type": act, "value": key} for key in keys for act in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": acts})

    def click(self, x: float, y: float) -> None:
        acts = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": acts})

    def _act(self, source: dict) -> None:
        self.ask("input.performActions", context=self._context, actions=[source])


class WebKit(Other):
    """WebKitGTK by its driver."""

    def __init__(self, driver: webdriver.WebKitGTK) -> None:
        self._driver = driver
        driver.set_window_size(WIDTH, HEIGHT)
        driver.set_script_timeout(PATIENCE)
        driver.set_page_load_timeout(PATIENCE)

    def goto(self, address: str) -> None:
        self._driver.get(address)

    def evaluate(self, function: str, *arguments: object) -> object:
        answer = self._driver.execute_async_script(
            f"""const [given, done] = arguments;
            (async () => ({function})(...JSON.parse(given)))().then(
              (value) => done(JSON.stringify({{ value }})),
              (error) => done(JSON.stringify({{ error: String(error) }})));""",
            json.dumps(arguments),
        )
        found = json.loads(answer)
        assert "error" not in found, found["error"]
        return found.get("value")

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self._driver).send_keys(key).perform()

    def click(self, x: float, y: float) -> None:
        chain = ActionChains(self._driver)
        chain.w3c_actions.pointer_action.move_to_location(x, y).click()
        chain.perform()


def lacks_firefox() -> str:
    """What has to be installed for Firefox, or nothing."""
    return "" if shutil.which("firefox-esr") or shutil.which("firefox") else "firefox-esr"


def lacks_webkit() -> str:
    """What has to be installed for WebKit, or nothing."""
    needed = {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}
    return " ".join(package for name, package in needed.items() if not shutil.which(name))


@contextlib.contextmanager
def firefox() -> Iterator[Firefox]:
    """Firefox with a profile of its own, until the end of the block."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    arguments = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        process = subprocess.Popen(
            [program, *arguments, home],
            env={**os.environ, "HOME": home},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with contextlib.ExitStack() as stack:
            stack.callback(lambda: connection.close())
            stack.enter_context(ended(process))
            said = (re.search(r"ws://\S+", line) for line in process.stderr)
            address = next(filter(None, said))[0]
            connection = WebSocketConnection(f"{address}/session", PATIENCE, 0.01)
            yield Firefox(connection)


@contextlib.contextmanager
def webkit() -> Iterator[WebKit]:
    """WebKit on a screen of its own, until the end of the block."""
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(next(Path("/").glob(MINI_BROWSERS.lstrip("/"))))
    options.add_argument("--automation")
    with screen() as display:
        service = Service(shutil.which("WebKitWebDriver"), env={**os.environ, "DISPLAY": display})
        with warnings.catch_warnings():  # Selenium's class uses what Selenium will do without
            warnings.simplefilter("ignore", DeprecationWarning)
            driver = webdriver.WebKitGTK(options=options, service=service)
        try:
            yield WebKit(driver)
        finally:
            driver.quit()


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """The name of a screen that nobody sees."""
    size = f"{WIDTH}x{HEIGHT}x24"
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    with ended(process):
        yield f":{process.stdout.readline().strip()}"


@contextlib.contextmanager
def ended(process: subprocess.Popen) -> Iterator[None]:
    """The process and its children end with the block."""
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # asked politely, Firefox takes ten seconds
        process.communicate()


BROWSERS = {"firefox": (firefox, lacks_firefox), "webkit": (webkit, lacks_webkit)}
KEYS = {"Escape": Keys.ESCAPE, "Left": Keys.ARROW_LEFT, "Right": Keys.ARROW_RIGHT}
