"""A real browser, driven by the W3C's WebDriver protocol over HTTP: no package is needed for it."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.requirements import need_program

__all__ = ["Browser", "running_browser"]

_ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    *("--disable-dev-shm-usage", "--no-first-run", "--disable-extensions"),
    # Nothing of the browser itself may look like a request of the page.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--force-device-scale-factor=1"),
    "--font-render-hinting=none",
)


class Browser:
    """One session of a browser."""

    def __init__(self, address: str):
        options = {"args": list(_ARGUMENTS), "binary": shutil.which("chromium")}
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        self._address = address
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._address = f"{address}/session/{made['sessionId']}"

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            told = json.load(error)["value"]
            raise AssertionError(f"{told['error']}: {told['message']}") from None

    def open(self, path: Path, fragment: str = "") -> None:
        """Load a file anew."""
        self.visit("about:blank")
        self.visit(path.as_uri() + fragment)

    def visit(self, address: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self._ask("POST", "/url", {"url": address})

    def run(self, script: str, *arguments: object) -> Any:
        """What a function body returns; promises are waited for."""
        body = {"script": script, "args": list(arguments)}
        return self._ask("POST", "/execute/sync", body)

    def wait(self, condition: str, seconds: float = 10) -> Any:
        """Until an expression is true."""
        end = time.monotonic() + seconds
        while not (found := self.run(f"return {condition}")):
            assert time.monotonic() < end, f"not within {seconds} s: {condition}"
            time.sleep(0.02)
        return found

    def go(self, fragment: str) -> None:
        """Follow a link within the page, and wait for the view."""
        self.run(
            "const done = new Promise((go) => addEventListener('hashchange', () => "
            "requestAnimationFrame(() => requestAnimationFrame(go)), { once: true }));"
            "if (location.hash === arguments[0]) return;"
            "location.hash = arguments[0]; return done",
            fragment,
        )

    def key(self, *names: str) -> None:
        """Press keys, one after the other."""
        presses = [
            step
            for name in names
            for step in ({"type": "keyDown", "value": name}, {"type": "keyUp", "value": name})
        ]
        self._ask(
            "POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": presses}]}
        )

    def devtools(self, command: str, **params: object) -> Any:
        """A command of the DevTools protocol."""
        return self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def resize(self, width: int, height: int) -> None:
        """The size of what is shown."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def colours(self, scheme: str) -> None:
        """Prefer "light" or "dark"."""
        self.devtools(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def picture(self) -> bytes:
        """What is shown, as PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot"))

    def console(self) -> list[str]:
        """What was written to the console since the last time."""
        return [one["message"] for one in self._ask("POST", "/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last time, data and blank pages aside."""
        found = []
        for one in self._ask("POST", "/se/log", {"type": "performance"}):
            message = json.loads(one["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(str(message["params"]["request"]["url"]))
        return [url for url in found if not url.startswith(("data:", "about:"))]

    def close(self) -> None:
        self._ask("DELETE", "")


@contextmanager
def running_browser(folder: Path) -> Iterator[Browser]:
    """A browser that starts and ends with the block; see ``requirements.py`` if there is none."""
    need_program("chromium")
    driver = need_program("chromedriver")
    log = folder / "chromedriver.log"
    with log.open("w") as output:
        process = subprocess.Popen([driver, "--port=0"], stdout=output, stderr=output)
    try:
        port = _port(log, process)
        browser = Browser(f"http://127.0.0.1:{port}")
        try:
            yield browser
        finally:
            browser.close()
    finally:
        process.terminate()
        process.wait(10)


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        _, found, rest = log.read_text().partition("successfully on port ")
        if found and "." in rest:
            return int(rest.partition(".")[0])
        time.sleep(0.05)
    raise AssertionError(f"chromedriver did not start: {log.read_text()}")
