"""A real browser without a window: Chromium, driven by the DevTools protocol."""

import base64
import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.support import processes
from tests.support.requirements import require_program
from tests.support.waiting import wait_until

# Nothing of it may ask anybody anything; in a container it can't make a sandbox.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--no-default-browser-check", "--no-pings", "--mute-audio"),
    *("--remote-debugging-port=0", "--hide-scrollbars"),
)


class Page:
    """One tab."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._number = 0
        self.complaints: list[str] = []  # what the console says: errors, and what the CSP refused
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One call of the protocol."""
        self._number += 1
        call = {"id": self._number, "method": method, "params": params}
        self._connection.send(json.dumps(call))
        while True:
            message = json.loads(self._connection.recv(timeout=30))
            self._note(message)
            if message.get("id") == self._number:
                assert "error" not in message, (method, message["error"])
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is there."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")
        self.wait(f"location.href !== 'about:blank' || {json.dumps(url)} === 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        """What an expression of JavaScript says."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str, timeout_s: float = 20) -> Any:
        """Wait until an expression is true, over a change of pages, too."""

        def is_so() -> Any:
            with contextlib.suppress(AssertionError):
                return self.evaluate(expression)

        return wait_until(is_so, timeout_s, expression, every_s=0.05)

    def resize(self, width: int, height: int, *, is_dark: bool = False, scale: float = 1) -> None:
        """Show pages as on a screen of this size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def without_scripts(self) -> None:
        """As for somebody who turned JavaScript off."""
        self.call("Emulation.setScriptExecutionDisabled", value=True)

    def screenshot(self, path: Path) -> None:
        """The whole page, as a PNG."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(taken["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Log.entryAdded":
            entry = message["params"]["entry"]
            if entry["level"] in ("error", "warning"):
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(message["params"]["exceptionDetails"]))


@contextlib.contextmanager
def chromium(profile: Path, *options: str) -> Iterator[Page]:
    """A browser with a profile and options of its own, and its tab."""
    program = require_program("chromium")
    profile.mkdir(parents=True, exist_ok=True)
    process = processes.remember(
        subprocess.Popen(
            [program, *_OPTIONS, *options, f"--user-data-dir={profile}", "about:blank"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(profile), "LANG": "C.UTF-8", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    port_file = profile / "DevToolsActivePort"

    def port() -> str:
        assert process.poll() is None, f"chromium ended with {process.returncode}"
        return port_file.read_text().split("\n")[0] if port_file.exists() else ""

    address = f"http://127.0.0.1:{wait_until(port, 30, 'chromium to listen')}/json/list"

    def tab() -> str:
        tabs = httpx.get(address, trust_env=False).json()
        return next((t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page"), "")

    with connect(wait_until(tab, 30, "a tab"), max_size=None, proxy=None) as connection:
        yield Page(connection)
    process.terminate()
    process.wait(20)
