"""A headless Chromium for tests, spoken to through a pipe; every host but this one is out of reach."""

import json
import os
import select
import shutil
import subprocess
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class Page:
    """One tab: commands of the DevTools protocol, and what went wrong on the page."""

    def __init__(self, reader: int, writer: int):
        self.reader, self.writer = reader, writer
        self.buffer, self.last, self.session = b"", 0, None
        self.problems: list[str] = []  # errors of the console, failed requests
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        given = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = given["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Send one command and return its result."""
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.last:
                assert "error" not in answer, answer
                return answer["result"]

    def receive(self, timeout=20.0):
        """Return the next message; events are noted on the way."""
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.reader], [], [], timeout)
            chunk = os.read(self.reader, 1 << 16) if ready else b""
            assert chunk, "the browser does not answer"
            self.buffer += chunk
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, event, given):
        """Keep what a test may ask about."""
        if event == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif event == "Network.loadingFailed":
            self.problems.append(f"request failed: {given['errorText']}")
        elif event == "Network.responseReceived" and given["response"]["status"] >= 400:
            self.problems.append(f"{given['response']['status']} {given['response']['url']}")
        elif event == "Runtime.exceptionThrown":
            self.problems.append(str(given["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning"):
            self.problems.append(str(given["args"]))
        elif event == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
            self.problems.append(str(given["entry"]))

    def open(self, url, width=1280, height=900, density=1, touch=False):
        """Open a page and wait until it has loaded."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=density, mobile=touch
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch)
        self.problems.clear()
        self.requests.clear()
        self.send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, expression):
        """Return the value of a JavaScript expression."""
        done = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, condition, seconds=8):
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"{condition}: not within {seconds} s; {self.problems}"
            time.sleep(0.05)

    def press(self, key):
        """Press and release a key where the focus is."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=_CODES[key])

    def drag(self, start, end):
        """Drag the mouse from one place to another, in pixels of the window."""
        places = [("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)]
        for kind, (x, y) in places:
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)


_CODES = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "End": 35, "Tab": 9}


@contextmanager
def open_browser(profile):
    """Yield a `Page` of a browser that ends with the block; its profile is a folder."""
    to_browser, writer = os.pipe()
    reader, from_browser = os.pipe()
    # the browser reads commands at descriptor 3 and writes answers at 4
    start = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
    process = subprocess.Popen(
        ["bash", "-c", start, BROWSER, *_FLAGS, f"--user-data-dir={profile}"],
        pass_fds=(to_browser, from_browser),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        yield Page(reader, writer)
    finally:
        os.close(writer)
        os.close(reader)
        process.terminate()
        process.wait(20)


@contextmanager
def serve(folder):
    """Yield the address at which a folder is served on this machine."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *given):
        pass
