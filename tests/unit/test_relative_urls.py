"""Behind a proxy that serves ComfyUI under a path of its own, an absolute path leaves it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from avatarforge.routes import ENDPOINTS, PREFIX, docs, panel
from avatarforge.routes.openapi import document

ROOT = Path(__file__).resolve().parents[2]
WEB = [path for path in (ROOT / "web").rglob("*") if path.suffix in (".css", ".html", ".js", ".md", ".mjs")]
PAGES = {"docs": docs.SWAGGER_PAGE, "redoc": docs.REDOC_PAGE, "": panel.PAGE}
STARTER = "start-swagger-ui.js"
#: What hands a path to ComfyUI's `api` object, which puts its own base before it.
RESOLVED = re.compile(r"\b(?:apiURL|fetchApi)\((?:PREFIX\b|`\$\{PREFIX\}|path\b|\"/i18n\"\))")
#: Ways in which a browser is given a URL; the next character would make it absolute.
ABSOLUTE = re.compile(
    r"""(?:\b(?:src|href|action|data-[a-z]+|spec-url)\s*=\s*["'`]?   # HTML
          |\b(?:fetch|fetchApi|apiURL|URL|Worker|EventSource|WebSocket|import|open)\(\s*["'`]
          |\b(?:from|import)\s+["'`]
          |\b(?:href|src|location)\s*=\s*["'`]
          |url\(\s*["']?
          |\]\(                                                       # Markdown
        )/""",
    re.VERBOSE,
)
#: The host's own route for texts, which goes through its `api` object.
ALLOWED = ('fetchApi("/i18n"',)


def absolute(text: str) -> list[str]:
    """The lines that give a browser a path from the root."""
    return [
        line.strip()
        for line in text.splitlines()
        if ABSOLUTE.search(line) and not any(item in line for item in ALLOWED)
    ]


@pytest.mark.parametrize(
    "line",
    [
        '<link href="/avatarforge-controller/docs/assets/a.css">',
        '<redoc spec-url="/avatarforge-controller/openapi.json">',
        "fetch('/avatarforge-controller/files')",
        'new EventSource("/api/events")',
        'import { api } from "/scripts/api.js";',
        "background: url(/files/x)",
        "![A sheet](/outputs/x.png)",
        "image.src = `/files/${id}`",
    ],
)
def test_the_check_sees_an_absolute_path(line: str) -> None:
    assert absolute(line) == [line]


@pytest.mark.parametrize("path", WEB, ids=lambda path: path.name)
def test_no_web_file_names_a_path_from_the_root(path: Path) -> None:
    assert absolute(path.read_text(encoding="utf-8")) == []


def test_the_prefix_is_written_once_and_always_resolved() -> None:
    uses: dict[str, list[str]] = {}
    for path in WEB:
        text = path.read_text(encoding="utf-8")
        if path.suffix in (".js", ".mjs"):
            uses[path.name] = [
                line.strip() for line in text.splitlines() if "PREFIX" in line or PREFIX in line
            ]
    definition = f'export const PREFIX = "{PREFIX}";'
    assert [name for name, lines in uses.items() if any(PREFIX in line for line in lines)] == [
        "files_client.mjs"
    ]
    for name, lines in uses.items():
        for line in lines:
            plain = line.startswith(("import ", definition)) or "path.replace(PREFIX" in line
            cut = "startsWith(PREFIX)" in line
            assert plain or cut or RESOLVED.search(line), f"{name}: {line}"


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_name_what_they_need_relative_to_themselves(name: str) -> None:
    page = PAGES[name]
    found = re.findall(r'(?:src|href|spec-url|data-document)="([^"]+)"', page)
    assert found
    assert absolute(page) == []
    for base in ("http://h", "http://h/api", "https://h/comfy", "https://h/a/b"):
        root = f"{base}{PREFIX}/"
        assert all(urljoin(root + name, item).startswith(root) for item in found)


def test_the_script_of_the_documentation_takes_its_document_from_the_page() -> None:
    assert absolute((docs.VENDOR / STARTER).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("base", ["http://h", "http://h/api", "https://h/comfy", "https://h/a/b/api"])
def test_the_server_of_the_document_is_where_the_document_is(base: str) -> None:
    """OpenAPI 3.1, 4.8.5: a relative URL counts from where the document is served."""
    described = document(ENDPOINTS, "0.0.0")
    (server,) = described["servers"]
    assert not server["url"].startswith("/")
    resolved = urljoin(f"{base}{PREFIX}/openapi.json", server["url"])
    for path in described["paths"]:
        assert resolved.rstrip("/") + path == base + path
