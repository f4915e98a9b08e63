"""A real browser for the tests; where Debian's Chromium is installed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@contextmanager
def launch_browser(*arguments: str) -> Iterator:
    """Give a browser with nothing kept of an earlier one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *arguments])
        yield browser
        browser.close()
