"""A served workspace and a real browser that looks at it.

The browser tests need Playwright (requirements/peers.txt) and Chromium, the system's or Playwright's own; without them
they are skipped.
"""

import shutil
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from gradus.api.app import create_app
from gradus.engine.workspace import Workspace
from tests.api.web.page_workspace import build

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def page_folder(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("page") / "workspace").root


@dataclass
class Site:
    """A workspace and where it is served."""

    workspace: Workspace
    url: str


def serve(workspace: Workspace):
    """Serve a workspace in a thread on a free port of loopback, until the generator is closed."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(workspace), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Site(workspace, f"http://127.0.0.1:{listener.getsockname()[1]}")
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def site(page_folder):
    """Serve what no test changes."""
    yield from serve(Workspace.find(page_folder))


@pytest.fixture
def own_site(page_folder, tmp_path):
    """Serve a copy that the test may change."""
    shutil.copytree(page_folder, tmp_path / "workspace", symlinks=True)
    yield from serve(Workspace.find(tmp_path / "workspace"))


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: see requirements/peers.txt")
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium that starts: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


class Watched:
    """A tab that notes what should never happen: errors, and requests that leave the server."""

    def __init__(self, browser, url: str, **settings) -> None:
        self.url = url
        self.context = browser.new_context(**settings)
        self.tab = self.context.new_page()
        self.problems: list[str] = []
        self.tab.on("console", self._said)
        self.tab.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        self.tab.on("request", self._asked)

    def _said(self, message) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _asked(self, request) -> None:
        if not request.url.startswith((self.url, "blob:")):
            self.problems.append(f"outside: {request.url}")

    def show(self, view: str):
        """Open a view and wait until it has all that it shows."""
        self.tab.goto(f"{self.url}/#/{view}")
        self.settled()
        return self.tab

    def settled(self) -> None:
        self.tab.wait_for_selector("main:not([aria-busy]) h1")
        self.tab.wait_for_function("() => !document.querySelector('.loading')")

    @property
    def pwned(self):
        return self.tab.evaluate("window.pwned ?? null")


@pytest.fixture
def watched(browser, site):
    tab = Watched(browser, site.url)
    yield tab
    tab.context.close()


@pytest.fixture
def watched_own(browser, own_site):
    tab = Watched(browser, own_site.url)
    yield tab
    tab.context.close()
