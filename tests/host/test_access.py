"""Who may call, on real ComfyUIs: one that only this machine reaches, and one that listens on the network."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from browser import open_browser
from editor import add_node, open_editor
from pictures import picture
from PIL import Image, PngImagePlugin
from playwright.sync_api import expect

from lab.api import PREFIX, Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
ID = "00000000-0000-4000-8000-000000000000"
FILLED = {
    "file_id": ID,
    "generation_id": ID,
    "content_hash": "a" * 64,
    "name": "avatarforge_00001.png",
    "position": "0",
}
KEY = "key-of-the-test-that-nobody-else-has"
STATUS_ALONE = {"api_status": "degraded"}  # these ComfyUIs have no models
STUDIO = "https://studio.example.org"
FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "localhost:{port}@evil.example"},
    {"Host": "127.0.0.1.evil.example:{port}"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://evil.example:{port}"},
    {"Origin": "null"},
)
FETCHED = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"})
DISPOSITION = r"inline; filename=\"([^\"\\;%]*)\"; filename\*=UTF-8''([A-Za-z0-9._~%-]+)"
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
#: What answers without a key, as far as Host and Origin allow it.
OPEN = ("/health", "/docs", "/redoc", "/openapi.json", "/docs/assets/swagger-ui.css")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def detail(self) -> Any:
        return json.loads(self.body)["detail"]


def ask(
    server: ComfyServer, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
) -> Answer:
    """A request with exactly these headers: libraries for people mend `Host` and paths on the way."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        filled = {name: value.format(port=server.port) for name, value in headers.items()}
        connection.request(method, path, body, filled)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def form_of(filename: str, content: bytes) -> bytes:
    """A form with one file, whose name may hold anything (RFC 5987)."""
    name = f"filename*=UTF-8''{quote(filename, safe='')}"
    head = f'--b\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n"


def routes_of(api: Api) -> list[tuple[str, str]]:
    """(method, path) of everything that the server says it has, plain, under /api, and under the root."""
    paths: dict[str, dict[str, Any]] = api.get("/openapi.json").json()["paths"]
    found = []
    for path, operations in paths.items():
        filled = path.format_map(FILLED)
        root = filled.removeprefix(PREFIX)
        for method in operations:
            aliased = method == "get" and root.startswith(("/files/0", "/outputs/0"))
            for base in (filled, root) if aliased else (filled,):
                found += [(method.upper(), base), (method.upper(), f"/api{base}")]
    assert len(found) > 40
    return found


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


# --- what goes out ---


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


# --- a ComfyUI that listens on the network, with a key, and with ComfyUI's own checks switched off ---


@pytest.fixture(scope="module")
def exposed(module_factory: Factory) -> ComfyServer:
    return module_factory(
        models=(),
        args=["--listen", "0.0.0.0,::1", "--enable-cors-header", "--disable-api-nodes"],
        dotenv=f"API_KEY={KEY}\nALLOWED_HOSTS=avatars.example.org\nALLOWED_ORIGINS={STUDIO}\nRATE_LIMIT=60\n",
    )


@pytest.fixture(scope="module")
def owner(exposed: ComfyServer) -> Api:
    """The API with the key."""
    api = Api(exposed.url)
    api.session.headers["X-API-Key"] = KEY
    return api


def test_without_the_key_nothing_answers_but_health_and_the_documentation(
    exposed: ComfyServer, owner: Api
) -> None:
    for method, path in routes_of(owner):
        if path.endswith("/health"):
            answer = ask(exposed, method, path, {})
            assert (answer.status, json.loads(answer.body)) == (200, STATUS_ALONE), path
        else:
            answer = ask(exposed, method, path, {})
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), (method, path)
            assert "X-API-Key" in answer.detail
    for page in OPEN:
        assert ask(exposed, "GET", PREFIX + page, {}).status == 200
    assert {} not in owner.get("/openapi.json").json()["paths"][f"{PREFIX}/files"]["get"]["security"]


def test_with_the_key_every_route_answers_as_ever(exposed: ComfyServer, owner: Api) -> None:
    for method, path in routes_of(owner):
        if path.endswith("/events"):  # with GET it goes on until we leave
            assert ask(exposed, "HEAD", path, {"X-API-Key": KEY}).status in (200, 404), path
            assert ask(exposed, "HEAD", path, {"X-API-Key": KEY + "x"}).status == 401, path
        elif method == "GET":
            assert ask(exposed, method, path, {"X-API-Key": KEY}).status in (200, 404), path
            assert ask(exposed, method, path, {"Authorization": f"Bearer {KEY}"}).status in (200, 404), path
            assert ask(exposed, method, path, {"X-API-Key": KEY + "x"}).status == 401, path
    assert owner.get("/health").json()["comfyui"]["stats"]["system"]
    file = owner.upload(picture(1))
    assert owner.get(file["url"]).content == picture(1)
    assert owner.delete(file["url"]).json()["deleted"] == "hard"


def test_foreign_pages_are_refused_also_where_comfyui_lets_them_in(exposed: ComfyServer, owner: Api) -> None:
    for method, path in routes_of(owner):
        for headers in (*FOREIGN, {"Origin": f"{STUDIO}:444"}):
            answer = ask(exposed, method, path, {**headers, "X-API-Key": KEY})
            assert answer.status == 403, (method, path, headers)
            assert answer.detail
        answer = ask(exposed, method, path, {"Sec-Fetch-Site": "cross-site", "X-API-Key": KEY})
        assert answer.status == 403, (method, path)
    # ComfyUI's own route shows that its check is off.
    assert ask(exposed, "GET", "/queue", FOREIGN[4]).status == 200


def test_names_that_were_allowed_and_addresses_are_known(exposed: ComfyServer) -> None:
    for host, expected in {
        "avatars.example.org": 200,
        "AVATARS.example.org.:443": 200,
        "192.0.2.7:{port}": 200,
        "[2001:db8::7]:{port}": 200,
        "www.avatars.example.org": 403,
        "rebound.example": 403,
    }.items():
        for base in (PREFIX, f"/api{PREFIX}"):
            answer = ask(exposed, "GET", f"{base}/poses", {"Host": host, "X-API-Key": KEY})
            assert answer.status == expected, host


def test_an_allowed_page_can_call_after_its_preflight(exposed: ComfyServer, owner: Api) -> None:
    page = {"Origin": STUDIO, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    asked = ask(exposed, "OPTIONS", f"{PREFIX}/signed_urls", {**page, **wish})
    assert (asked.status, asked.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    body = json.dumps({"urls": [owner.upload(picture(4))["url"]]}).encode()
    headers = {**page, "Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = ask(exposed, "POST", f"{PREFIX}/signed_urls", headers, body)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    shown = ask(exposed, "GET", json.loads(answer.body)["urls"][0]["signed_url"], page)
    # Sent as a stream, which ComfyUI's middleware comes too late for.
    assert (shown.status, shown.headers["Access-Control-Allow-Origin"]) == (200, STUDIO)
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown.headers["Cache-Control"] == "no-cache"


def sign(owner: Api, *urls: str) -> list[str]:
    answer = owner.post("/signed_urls", json={"urls": urls})
    assert answer.status_code == 200, answer.text
    return [found["signed_url"] for found in answer.json()["urls"]]


def test_a_signed_link_shows_a_picture_to_anybody(exposed: ComfyServer, owner: Api) -> None:
    file = owner.upload(picture(5))["url"]
    bases = ("", PREFIX, f"/api{PREFIX}")
    urls = [base + url for url in (file, f"{file}/thumbnail?size=64") for base in bases]
    for url, link in zip(urls, sign(owner, *urls), strict=True):
        assert ask(exposed, "GET", url, {}).status == 401
        answer = ask(exposed, "GET", link, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})
        assert (answer.status, answer.headers["Cross-Origin-Resource-Policy"]) == (200, "cross-origin"), link
        assert Image.open(io.BytesIO(answer.body)).size == (64, 64)
        assert ask(exposed, "HEAD", link, {}).status == 200
        assert ask(exposed, "GET", link, {"If-None-Match": answer.headers["ETag"]}).status == 304
        assert ask(exposed, "GET", link, {"Host": "evil.example"}).status == 403
        assert ask(exposed, "DELETE", link, {}).status in (401, 405)
        broken = ask(exposed, "GET", link[:-1] + ("0" if link[-1] != "0" else "1"), {})
        assert (broken.status, "signed_urls" in broken.detail) == (403, True)


def test_the_picker_asks_for_the_key_and_shows_signed_thumbnails(owner: Api) -> None:
    stored = owner.upload(picture(2), filename="kept.png")
    with open_editor(owner) as browser:
        page = browser.page
        add_node(page, "AvatarForgeLoadReference")
        picker = page.locator(".avatarforge-picker")
        picker.get_by_role("button", name="Choose").click()
        asked = page.get_by_role("dialog", name="This server requires a key")
        asked.get_by_label("API_KEY").fill("a-key-that-is-wrong-1234")
        page.keyboard.press("Enter")
        expect(asked.get_by_role("alert")).to_contain_text("The key is wrong")
        expect(asked.get_by_label("API_KEY")).to_be_focused()
        if folder := os.environ.get("AVATARFORGE_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/key.png")
        asked.get_by_label("API_KEY").fill(KEY)
        asked.get_by_role("button", name="Use this key").click()
        dialog = page.get_by_role("dialog", name="Choose a stored reference")
        tile = dialog.get_by_role("button", name="kept.png")
        decoded = "async (image) => { await image.decode(); return [image.naturalWidth, image.src]; }"
        width, source = tile.locator("img").evaluate(decoded)
        assert (width, "signature=" in source, KEY in source) == (64, True, False)
        if folder:
            page.screenshot(path=f"{folder}/chooser.png")
        tile.click()
        expect(picker.get_by_role("img", name="kept.png")).to_be_visible()
        # Kept for this browser, and not among the settings that ComfyUI gives to everybody.
        page.reload()
        page.wait_for_function("() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0")
        page.evaluate("() => app.rootGraph.clear()")
        prompt = {"1": {"class_type": "AvatarForgeLoadReference", "inputs": {"file_id": stored["file_id"]}}}
        page.evaluate("(prompt) => app.loadApiJson(prompt, 'a')", prompt)
        expect(page.locator(".avatarforge-picker").get_by_role("img", name="kept.png")).to_be_visible()
        assert KEY not in json.dumps(owner.root("/settings").json())
        assert not [url for url in browser.requested if KEY in url]
        # A graph alone opens no dialog.
        page.evaluate("() => { localStorage.removeItem('avatarforge.key'); app.rootGraph.clear(); }")
        page.evaluate("(prompt) => app.loadApiJson(prompt, 'a')", prompt)
        expect(page.locator(".avatarforge-picker").get_by_role("status")).to_contain_text("requires a key")
        expect(asked).to_have_count(0)


def test_a_rate_limit_and_then_a_restart_without_the_key(
    exposed: ComfyServer, owner: Api, module_factory: Factory
) -> None:
    """Last in this file: it ends the ComfyUI of the others."""
    (link,) = sign(owner, owner.upload(picture(3))["url"])
    headers = {"X-API-Key": KEY}
    for _ in range(61):
        answer = ask(exposed, "DELETE", f"{PREFIX}/files/{ID}", headers)
        if answer.status != 404:
            break
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "RATE_LIMIT" in answer.detail
    assert ask(exposed, "GET", f"{PREFIX}/files", headers).status == 200

    secret = next((exposed.base / "user").rglob("secret.key"))
    if os.name != "nt":
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    text = secret.read_text()
    for shown in (KEY, text.strip()):
        assert shown not in exposed.log()
    exposed.kill()
    server = module_factory(base=exposed.base, models=(), args=["--listen", "0.0.0.0"], dotenv="")  # noqa: S104
    assert secret.read_text() == text
    assert "API_KEY is not set" in server.log()
    assert ask(server, "GET", link, {}).status == 200
    for headers in ({}, {"X-API-Key": KEY}):
        answer = ask(server, "GET", f"{PREFIX}/generations", headers)
        assert (answer.status, "Set API_KEY" in answer.detail) == (401, True)
    assert json.loads(ask(server, "GET", f"{PREFIX}/health", {}).body) == STATUS_ALONE
    server.kill()  # nothing of it is wanted, and an orderly stop takes seconds
