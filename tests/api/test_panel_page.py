"""The panel's page and its parts over HTTP, and what the API gives it to show, on the fake host."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from services import Product

from avatarforge.routes import PREFIX
from avatarforge.routes.panel import PAGE, PARTS

ROOT = Path(__file__).resolve().parents[2]
Client = TestClient[Any, Any]


def linked(path: Path) -> set[Path]:
    """The modules of ours that a script imports or starts."""
    text = path.read_text(encoding="utf-8")
    names = re.findall(r'(?:from|import\(?|URL\()\s*"(\.[^"]+\.mjs)"', text)
    return {(path.parent / name).resolve() for name in names}


def reached(start: Path) -> set[Path]:
    """The script and all that it loads, directly or not."""
    found: set[Path] = set()
    new = {start}
    while new:
        found |= new
        new = {other for path in new for other in linked(path)} - found
    return found


def test_every_script_that_the_page_needs_is_served_and_nothing_else_of_the_pack() -> None:
    needed = reached(ROOT / "web" / "panel" / "page.mjs")
    served = set(PARTS.values())
    assert {path for path in served if path.suffix == ".mjs"} == needed
    assert {path for path in served if path.suffix == ".json"} == set(ROOT.glob("locales/*/main.json"))
    assert {path.suffix for path in served} == {".mjs", ".json", ".css", ".svg"}


def test_every_script_is_loaded_by_the_page_or_by_the_editor() -> None:
    starts = (ROOT / "web" / "panel" / "page.mjs", ROOT / "web" / "avatarforge.js")
    loaded = {path for start in starts for path in reached(start)}
    assert {path for path in (ROOT / "web").rglob("*.*js") if path.is_file()} == loaded


@pytest.mark.parametrize("name", PARTS)
async def test_every_part_is_there_with_its_type(client: Client, name: str) -> None:
    answer = await client.get(f"{PREFIX}/panel/{name}")
    assert answer.status == 200
    assert await answer.read() == PARTS[name].read_bytes()
    kinds = {"mjs": "text/javascript", "css": "text/css", "json": "application/json", "svg": "image/svg+xml"}
    assert answer.content_type == kinds[name.rsplit(".")[-1]]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # A new version of the pack must be seen at once.
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_a_part_is_compressed_for_those_who_take_it(client: Client) -> None:
    url, content = f"{PREFIX}/panel/panel/panel.mjs", PARTS["panel/panel.mjs"].read_bytes()
    for accepted in ("gzip, deflate", "identity"):
        answer = await client.get(url, headers={"Accept-Encoding": accepted})
        assert await answer.read() == content
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers.get("Content-Encoding") == ("gzip" if "gzip" in accepted else None)
        assert (int(answer.headers["Content-Length"]) < len(content) / 2) is ("gzip" in accepted)
        head = await client.head(url, headers={"Accept-Encoding": accepted})
        assert (head.status, head.headers["ETag"]) == (200, answer.headers["ETag"])
        cached = {"Accept-Encoding": accepted, "If-None-Match": answer.headers["ETag"]}
        again = await client.get(url, headers=cached)
        assert (again.status, await again.read()) == (304, b"")


async def test_a_part_that_changes_is_compressed_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    part = tmp_path / "part.mjs"
    monkeypatch.setitem(PARTS, "panel/part.mjs", part)
    for text in ("one", "another"):
        part.write_text(text, encoding="utf-8")
        answer = await client.get(f"{PREFIX}/panel/panel/part.mjs", headers={"Accept-Encoding": "gzip"})
        assert await answer.text() == text


def test_what_the_page_names_is_served() -> None:
    assert {f"panel/{name}" for name in PARTS} >= set(re.findall(r'(?:href|src)="([^"]+)"', PAGE))


@pytest.mark.parametrize("name", ["panel/none.mjs", "panel/..%2Fpage.css", "picker/picker.mjs", "x/page.css"])
async def test_other_parts_do_not_exist(client: Client, name: str) -> None:
    answer = await client.get(f"{PREFIX}/panel/{name}")
    assert answer.status == 404
    assert (await answer.json())["detail"]


async def test_the_page_answers_also_while_the_pack_is_unavailable(broken: Client) -> None:
    answer = await broken.get(f"{PREFIX}/")
    assert (answer.status, answer.content_type) == (200, "text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_without_a_slash_one_is_sent_on_relative_to_where_one_is(client: Client) -> None:
    answer = await client.get(PREFIX, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, "avatarforge-controller/")


async def test_every_view_comes_with_its_skeleton(client: Client) -> None:
    poses = (await (await client.get(f"{PREFIX}/poses")).json())["poses"]
    drawn = {pose["name"]: pose["skeleton"] for pose in poses}
    assert len({drawing["height"] for drawing in drawn.values()}) == 1
    for drawing in drawn.values():
        assert len(drawing["joints"]) == 18
        for x, y in filter(None, drawing["joints"]):
            assert 0 <= x <= drawing["width"] and 0 <= y <= drawing["height"]
        assert all(0 <= at < 18 for bone in drawing["bones"] for at in bone)
    nose, right_shoulder, left_shoulder = 0, 2, 5
    assert drawn["back"]["joints"][nose] is None
    front = drawn["front"]["joints"]
    assert front[nose] and front[right_shoulder][0] < front[left_shoulder][0]
    assert drawn["side"]["width"] < drawn["front"]["width"]


async def test_the_capabilities_name_what_a_request_may_ask_for(client: Client, forge: Product) -> None:
    table = json.loads(await (await client.get(f"{PREFIX}/capabilities")).text())
    assert tuple(table["samplers"]) == forge.host.installed.samplers
    assert tuple(table["schedulers"]) == forge.host.installed.schedulers
