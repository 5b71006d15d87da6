"""Headless Chromium with pages of our own, for tests of what browsers send."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

CLIENTS = Path(__file__).resolve().parent / "clients"
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    # What a browser does by itself would ask hosts that a test machine does not reach.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
)


@contextmanager
def page(name: str, directory: Path, **parameters: object) -> "Iterator[queue.Queue[Any]]":
    """Open a page of tests/clients in a new browser, which ends with the block.

    Args:
        directory: for the browser's profile and log.
        parameters: of the page's address.

    Returns:
        What the page posts to /done, decoded.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is not installed: `make test` does that, or install it as `chromium`.", pytrace=False)
    answers: queue.Queue[Any] = queue.Queue()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Pages, answers)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/{name}?{urlencode(parameters)}"
        with (directory / "chromium.log").open("wb") as log:
            browser = subprocess.Popen(
                [chromium, *_OPTIONS, f"--user-data-dir={directory / 'profile'}", "--remote-debugging-port=0", address],
                stdout=log,
                stderr=log,
            )
        try:
            yield answers
        finally:
            browser.terminate()
            browser.wait(20)
            server.shutdown()


class _Pages(SimpleHTTPRequestHandler):
    """The files of tests/clients; modules of npm packages are found without their ending."""

    def __init__(self, answers: "queue.Queue[Any]", *args: Any) -> None:
        self._answers = answers
        super().__init__(*args, directory=str(CLIENTS))

    def translate_path(self, path: str) -> str:
        if path.partition("?")[0] == "/matomo.js" and "MATOMO_JS" in os.environ:
            return os.environ["MATOMO_JS"]
        file = Path(super().translate_path(path))
        return str(file if file.exists() or file.suffix else file.with_suffix(".js"))

    def do_POST(self) -> None:
        self._answers.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's output is for the test."""
