"""A headless Chromium that can reach only this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, sync_playwright

from lab.system import chromium

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Requests to other hosts fail in the same way on every machine.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
#: Records all error toasts of ComfyUI's frontend, because a toast disappears after some seconds.
RECORD_TOASTS = """() => {
    window.errorToasts = new Set();
    new MutationObserver((changes) => {
        for (const added of changes.flatMap((change) => [...change.addedNodes])) {
            const toasts = added.querySelectorAll?.(".p-toast-message-error") ?? [];
            const own = added.matches?.(".p-toast-message-error") ? [added] : [];
            for (const toast of [...own, ...toasts]) window.errorToasts.add(toast);
        }
    }).observe(document, { subtree: true, childList: true });
}"""
#: Seconds until a page that does not load fails its test. ComfyUI's frontend is slow on two busy cores.
DEADLINE = 120


@dataclass
class Browser:
    """A page and a record of its requests and errors.

    Attributes:
        page: Playwright's page.
        requested: the URLs that it requested.
        refused: requested URLs that the page's own Content-Security-Policy blocked.
        complaints: console errors and uncaught exceptions.
    """

    page: Page
    requested: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def foreign(self, origin: str) -> list[str]:
        """The URLs requested outside ``origin``, except for data: and blob: URLs of the page itself."""
        own = (f"{origin}/", "data:", f"blob:{origin}/")
        return [url for url in self.requested if not url.startswith(own) and url not in self.refused]

    def error_toasts(self) -> list[str]:
        """The texts of the error toasts that ComfyUI's frontend has shown since the page was loaded."""
        texts: list[str] = self.page.evaluate(
            "() => [...window.errorToasts].map((toast) => toast.textContent)"
        )
        return texts


@contextmanager
def open_browser(width: int = 1600, height: int = 1000) -> Iterator[Browser]:
    """Open a browser with an empty profile and one page of ``width`` x ``height`` pixels. Raises LabError."""
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            page = chrome.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(DEADLINE * 1000)
            page.add_init_script(f"({RECORD_TOASTS})()")
            browser = Browser(page)

            def on_console(message: ConsoleMessage) -> None:
                if message.type == "error":
                    browser.complaints.append(f"{message.text} ({message.location.get('url')})")

            def on_request_failed(request: Request) -> None:
                if request.failure == "csp":
                    browser.refused.append(request.url)

            page.on("request", lambda request: browser.requested.append(request.url))
            page.on("requestfailed", on_request_failed)
            page.on("console", on_console)
            page.on("pageerror", lambda error: browser.complaints.append(str(error)))
            yield browser
        finally:
            chrome.close()
