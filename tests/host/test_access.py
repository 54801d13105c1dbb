"""Who may call a real ComfyUI that only this machine reaches, and what goes out."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from browser import open_browser
from pictures import picture
from PIL import Image, PngImagePlugin
from raw_requests import FOREIGN, OPEN, ask, routes_of, sign

from lab.api import PREFIX, Api
from lab.server import ComfyServer

FETCHED = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"})
DISPOSITION = r"inline; filename=\"([^\"\\;%]*)\"; filename\*=UTF-8''([A-Za-z0-9._~%-]+)"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def form_of(filename: str, content: bytes) -> bytes:
    """A form with one file, whose name may hold anything (RFC 5987)."""
    name = f"filename*=UTF-8''{quote(filename, safe='')}"
    head = f'--b\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n"


def is_refused(server: ComfyServer, method: str, path: str, headers: Mapping[str, str]) -> None:
    answer = ask(server, method, path, headers)
    assert answer.status == 403, (method, path, headers, answer)
    # ComfyUI's own check refuses some of it first, with an empty answer.
    assert answer.body == b"" or answer.detail, (method, path, headers)


def test_foreign_pages_and_names_reach_no_route(comfy: ComfyServer, api: Api) -> None:
    pages = [("GET", base + PREFIX + page) for page in (*OPEN, "/nothing") for base in ("", "/api")]
    for method, path in (*routes_of(api), *pages):
        for headers in FOREIGN:
            is_refused(comfy, method, path, headers)
        if method != "GET":
            for headers in FETCHED:
                is_refused(comfy, method, path, headers)


def test_a_form_that_a_foreign_page_sends_stores_nothing(comfy: ComfyServer, api: Api) -> None:
    before = api.get("/files?limit=1").json()["total"]
    form = form_of("a.png", picture(4711))
    own = {"Host": "localhost:{port}", "Origin": "http://localhost:{port}", "Sec-Fetch-Site": "same-origin"}
    for base in (PREFIX, f"/api{PREFIX}"):
        for headers in (*FOREIGN, *FETCHED):
            answer = ask(comfy, "POST", f"{base}/upload/pose_image", {**FORM, **headers}, form)
            assert answer.status == 403, headers
    assert api.get("/files?limit=1").json()["total"] == before
    answer = ask(comfy, "POST", f"{PREFIX}/upload/pose_image", {**FORM, **own}, form)
    assert answer.status == 200, answer


def test_no_key_is_asked_where_only_this_machine_can_call(comfy: ComfyServer, api: Api) -> None:
    assert api.get("/health").json()["comfyui"]["stats"]
    for host in ("localhost", "127.0.0.1:{port}", "[::1]:{port}", "avatars.localhost"):
        assert ask(comfy, "GET", f"{PREFIX}/generations", {"Host": host}).status == 200
    assert ask(comfy, "GET", f"{PREFIX}/generations", {"X-Forwarded-For": "192.0.2.1"}).status == 401
    operation = api.get("/openapi.json").json()["paths"][f"{PREFIX}/files"]["get"]
    assert {} in operation["security"]


def test_a_signed_link_to_a_picture_that_came_out(comfy: ComfyServer, api: Api) -> None:
    generation = api.wait(api.generate(seed=4711)["generation_id"])
    url = generation["output_files"][0]["url"]
    (link,) = sign(api, url)
    answer = ask(comfy, "GET", link, {})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/png")
    assert ask(comfy, "GET", link.replace("00001", "00002"), {}).status == 403
    assert ask(comfy, "GET", link.replace("expires=1", "expires=2"), {}).status == 403


def test_a_download_is_a_picture_and_nothing_else(comfy: ComfyServer, api: Api) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "<script>document.title = 'run'</script><svg onload=alert(1)>")
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture(815))).save(buffer, "PNG", pnginfo=words)
    name = (
        '../../<script>.html"; filename=evil.html; x="\r\nX-Evil: 1\r\n\u202egnp.\u00e4' + "n" * 300 + ".html"
    )
    sent = ask(comfy, "POST", f"{PREFIX}/upload/pose_image", FORM, form_of(name, buffer.getvalue()))
    assert sent.status == 200, sent
    file = json.loads(sent.body)
    for base in (PREFIX, f"/api{PREFIX}", "", "/api"):
        for path, kind in ((file["url"], "image/png"), (f"{file['url']}/thumbnail", "image/jpeg")):
            answer = ask(comfy, "GET", base + path, {})
            assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
            assert answer.headers["Cache-Control"] == "no-cache"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-site"
            assert "X-Evil" not in answer.headers
        disposition = ask(comfy, "GET", base + file["url"], {}).headers["Content-Disposition"]
        found = re.fullmatch(DISPOSITION, disposition)
        assert found, disposition
        assert found[1].endswith(".png")
        assert found[2].endswith(".png")
        assert len(disposition) < 1500
        assert "%E2%80%AE" not in disposition
    with open_browser() as browser:
        browser.page.goto(api.base_url + file["url"])
        assert browser.page.evaluate("document.contentType") == "image/png"
        assert browser.page.title() != "run"
        assert browser.page.evaluate("document.querySelectorAll('script, svg').length") == 0
