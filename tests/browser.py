"""A headless Chromium that can reach nothing but this machine."""

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
    # A page that would call out fails the same way on every machine.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
#: Keeps every error toast of ComfyUI's frontend, since a toast is gone after some seconds.
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
#: Seconds until a page that does not come fails its test; ComfyUI's frontend is slow on two busy cores.
DEADLINE = 120


@dataclass
class Browser:
    """A page, and what it did.

    Attributes:
        page: Playwright's page.
        requested: the URLs that it asked for.
        refused: those of them that the page's own Content-Security-Policy stopped before they went out.
        complaints: console errors and exceptions that nothing caught.
    """

    page: Page
    requested: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def foreign(self, origin: str) -> list[str]:
        """The requests that left ``origin``; what a page makes for itself (data:, blob:) does not count."""
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
    """A browser with an empty profile and one page of ``width`` x ``height`` pixels. Raises LabError."""
    with sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        try:
            page = chrome.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(DEADLINE * 1000)
            page.add_init_script(f"({RECORD_TOASTS})()")
            browser = Browser(page)

            def hear(message: ConsoleMessage) -> None:
                if message.type == "error":
                    browser.complaints.append(f"{message.text} ({message.location.get('url')})")

            def note_refusal(request: Request) -> None:
                if request.failure == "csp":
                    browser.refused.append(request.url)

            page.on("request", lambda request: browser.requested.append(request.url))
            page.on("requestfailed", note_refusal)
            page.on("console", hear)
            page.on("pageerror", lambda error: browser.complaints.append(str(error)))
            yield browser
        finally:
            chrome.close()
