"""Who may call a real ComfyUI that listens on the network.

It has a key, and ComfyUI's own checks are switched off.
"""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Callable

import pytest
from editor import add_node, open_editor
from pictures import picture
from PIL import Image
from playwright.sync_api import expect
from raw_requests import FOREIGN, ID, OPEN, ask, routes_of, sign

from lab.api import PREFIX, Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
KEY = "key-of-the-test-that-nobody-else-has"
STATUS_ALONE = {"api_status": "degraded"}  # these ComfyUIs have no models
STUDIO = "https://studio.example.org"


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
            # A built-in family has no graph where none of its models is installed.
            reached = (200, 404, 503) if "/builtin/" in path else (200, 404)
            assert ask(exposed, method, path, {"X-API-Key": KEY}).status in reached, path
            assert ask(exposed, method, path, {"Authorization": f"Bearer {KEY}"}).status in reached, path
            # Only sixty wrong keys a minute are compared.
            if not path.startswith("/api"):
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
    requested = ask(exposed, "OPTIONS", f"{PREFIX}/signed_urls", {**page, **wish})
    assert (requested.status, requested.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "Authorization" in requested.headers["Access-Control-Allow-Headers"]
    body = json.dumps({"urls": [owner.upload(picture(4))["url"]]}).encode()
    headers = {**page, "Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    answer = ask(exposed, "POST", f"{PREFIX}/signed_urls", headers, body)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    shown = ask(exposed, "GET", json.loads(answer.body)["urls"][0]["signed_url"], page)
    # Sent as a stream, which ComfyUI's middleware comes too late for.
    assert (shown.status, shown.headers["Access-Control-Allow-Origin"]) == (200, STUDIO)
    assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert shown.headers["Cache-Control"] == "no-cache"


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
        requested = page.get_by_role("dialog", name="This server requires a key")
        requested.get_by_label("API_KEY").fill("a-key-that-is-wrong-1234")
        page.keyboard.press("Enter")
        expect(requested.get_by_role("alert")).to_contain_text("The key is wrong")
        expect(requested.get_by_label("API_KEY")).to_be_focused()
        if folder := os.environ.get("AVATARFORGE_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/key.png")
        requested.get_by_label("API_KEY").fill(KEY)
        requested.get_by_role("button", name="Use this key").click()
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
        expect(requested).to_have_count(0)


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
