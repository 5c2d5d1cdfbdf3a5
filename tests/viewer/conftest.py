"""A headless browser for the tests, driven through its DevTools pipe; stores and a server to look at."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from deepcams.cli import main
from deepcams.viewer.server import start
from deepcams.viewer.site import Site
from deepcams.viewer.stores import open_cams, open_shown

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    # The network is cut: every name but this machine's leads nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Browser:
    """Chromium and one page in it."""

    def __init__(self, folder: Path) -> None:
        (self._read, theirs_out), (theirs_in, self._write) = os.pipe(), os.pipe()

        def hand_over() -> None:
            # The pipes' other ends become descriptors 3 and 4, as the browser expects them.
            a, b = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self._process = subprocess.Popen(
            [str(CHROMIUM), *_FLAGS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(3, 4, theirs_in, theirs_out),
            preexec_fn=hand_over,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._answers: dict[int, dict] = {}
        self._arrived = threading.Condition()
        self.events: list[dict] = []
        self._count = 0
        threading.Thread(target=self._listen, daemon=True).start()
        self._session = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.size(1280, 860)

    def _listen(self) -> None:
        rest = b""
        while piece := os.read(self._read, 1 << 16):
            *messages, rest = (rest + piece).split(b"\0")
            with self._arrived:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._answers[message["id"]] = message
                    else:
                        self.events.append(message)
                self._arrived.notify_all()

    def send(self, method: str, **parameters):
        """Ask the browser for something, and wait for its answer."""
        self._count += 1
        number = self._count
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        with self._arrived:
            assert self._arrived.wait_for(lambda: number in self._answers, 60), f"no answer to {method}"
            answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def size(self, width: int, height: int, *, touch: bool = False) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch)

    def open(self, url: str, *, ready: bool = True) -> None:
        """Open an address from scratch, and wait until the page says that it is ready."""
        self.send("Page.navigate", url="about:blank")
        self.events.clear()
        self.send("Page.navigate", url=url)
        if ready:
            self.wait("(({known, ready}) => known || ready === 'failed')(document.documentElement?.dataset ?? {})")

    def run(self, script: str):
        """The value of a script, or of what it promises."""
        found = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = 30.0):
        """Wait until a script has a value that is not empty."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"in vain: {script}; {self.run('document.body.innerText')[:500]}"
            time.sleep(0.02)
        return value

    def mouse(self, kind: str, x: float, y: float, **more) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float) -> None:
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="none" if kind == "mouseMoved" else "left", clickCount=1)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button="left", clickCount=1)
        for part in (0.5, 1.0):
            at = [a + part * (b - a) for a, b in zip(start, end, strict=True)]
            self.mouse("mouseMoved", *at, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def press(self, key: str, text: str = "", modifiers: int = 0) -> None:
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, modifiers=modifiers)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=modifiers)

    def screenshot(self, path: Path) -> Path:
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))
        return path

    def troubles(self) -> list[str]:
        """Everything that went wrong since the page was opened: exceptions, errors on the console, refused loads."""
        found = []
        for event in list(self.events):
            method, values = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(str(values["exceptionDetails"]))
            elif method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
                found.append(f"{values['entry']['text']} {values['entry'].get('url', '')}")
            elif method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
                found.append(str(values["args"]))
        return found

    def requests(self) -> list[str]:
        """The addresses that the page has asked for."""
        return [
            one["params"]["request"]["url"] for one in list(self.events) if one["method"] == "Network.requestWillBeSent"
        ]

    def close(self) -> None:
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """The browser; tests that need it are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """Where screenshots go: a folder of the environment's choice, where they are kept, or a temporary one."""
    chosen = os.environ.get("DEEPCAMS_SCREENSHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def command(*arguments) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    assert ended.value.code == 0


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory) -> Path:
    """The CAMS sample over the globe, made hourly: two days, of which the second is missing."""
    path = tmp_path_factory.mktemp("sample") / "sample.zarr"
    command("downscale", "--sample", path, "--method", "fast", "--quiet")
    return path


@pytest.fixture(scope="session")
def europe(tmp_path_factory) -> Path:
    """The sample over Central Europe: a small store."""
    path = tmp_path_factory.mktemp("europe") / "europe.zarr"
    command("downscale", "--sample", path, "--method", "fast", "--region", "central-europe", "--quiet")
    return path


@contextmanager
def serving(find, host="127.0.0.1", **options):
    """A server in a thread of its own."""
    from deepcams.viewer.server import Server

    server = Server(find, host, 0, **options) if options else start(find, host, 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def serve():
    """Serve what is found by keys."""
    return serving


@pytest.fixture
def look():
    """Serve a store as ``deepcams view`` does."""

    @contextmanager
    def look(store, cams=None, stations=None):
        shown = open_shown(str(store))
        site = Site(shown, open_cams([str(cams)], shown.variable) if cams else None, stations)
        with serving(site.find) as server:
            yield server.url

    return look


@pytest.fixture
def number_at():
    """The value of an array (latitude, longitude) at the cell of a place."""

    def number_at(array, latitude, longitude):
        row = int(np.abs(array.latitude.values - latitude).argmin())
        column = int(np.abs((array.longitude.values - longitude + 180) % 360 - 180).argmin())
        return float(array[row, column])

    return number_at
