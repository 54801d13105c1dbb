"""JSON bodies, ids, names and queries that nobody sends by accident."""

from __future__ import annotations

import base64
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pictures import picture
from services import Product
from yarl import URL

from avatarforge.forge.pictures.openpose_json import MAX_BYTES
from avatarforge.routes import ENDPOINTS, PREFIX

from .conftest import Client, generate, upload

JSON = {"Content-Type": "application/json"}
POSE = json.dumps(
    {"canvas_width": 300, "canvas_height": 400, "people": [{"pose_keypoints_2d": [9, 9, 1] * 18}]}
)


async def refused(client: Client, raw: bytes) -> dict[str, Any]:
    answer = await client.post(f"{PREFIX}/generate/avatar", data=raw, headers=JSON)
    assert answer.status == 422, await answer.text()
    (found,) = (await answer.json())["detail"]
    assert found["loc"][0] == "body"
    return dict(found)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"", "json_invalid"),
        (b"\xff\xfe", "json_invalid"),
        ('{"prompt": "x"}'.encode("utf-16"), "json_invalid"),
        (b'{"prompt": "\xff"}', "json_invalid"),
        (b'{"prompt": "a\x00b"}', "json_invalid"),
        (b'{"prompt": "x"', "json_invalid"),
        (b'{"prompt": "x"} ]', "json_invalid"),
        (b'{"prompt": "x", "prompt": "y"}', "json_invalid"),
        (b'{"prompt": "x", "seed": NaN}', "json_invalid"),
        (b'{"prompt": "x", "cfg": -Infinity}', "json_invalid"),
        (b'{"prompt": "x", "seed": ' + b"9" * 5000 + b"}", "json_invalid"),
        (b'{"prompt": ' + b"[" * 60_000 + b"]" * 60_000 + b"}", "json_invalid"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json_invalid"),
        (b'{"prompt": "x", "steps": [' + b"1," * 30_000 + b"1]}", "json_invalid"),
        (b"null", "model_type"),
        (b"[]", "model_type"),
        (b'"x"', "model_type"),
        (b"1e999", "model_type"),
        (b'{"prompt": "x", "cfg": 1e999}', "finite_number"),
        (b'{"prompt": "x", "seed": 1e999}', "int_type"),
        (b'{"prompt": "x", "seed": 8.8e28}', "less_than_equal"),
        (b'{"prompt": "x", "seed": 1e308}', "less_than_equal"),
        (b'{"prompt": "x", "seed": -0.5}', "int_type"),
        (b'{"prompt": "x", "steps": 20.5}', "int_type"),
        (b'{"prompt": "x", "steps": true}', "int_type"),
        (b'{"prompt": "x", "steps": "20"}', "int_type"),
        (b'{"prompt": "x", "cfg": "7"}', "float_type"),
        (b'{"prompt": "x", "nonsense": 1}', "extra_forbidden"),
        (b'{"prompt": "x", "__proto__": {}}', "extra_forbidden"),
        (b'{"prompt": "x", "": 1}', "extra_forbidden"),
        (b'{"prompt": "\\ud800"}', "string_unicode"),
        (b'{"prompt": "x", "style": "\\udfff y"}', "string_unicode"),
        (b'{"prompt": "x", "checkpoint": "\\ud83d"}', "control_character"),
        (b'{"prompt": "x", "pose_file_id": "\\ud83d"}', "control_character"),
        (b'{"prompt": "x", "\\ud800": 1}', "string_unicode"),
        (b'{"prompt": "a\\u0000b"}', "control_character"),
        (b'{"prompt": "x", "clothing": "\\u001b[31mred"}', "control_character"),
        (b'{"prompt": "x", "negative_prompt": "a\\u0085b"}', "control_character"),
        (b'{"prompt": "x", "style": "a\\u007f."}', "control_character"),
        (b'{"prompt": "x\\u000b"}', "control_character"),
        (b'{"prompt": "x", "clothing": "\\u0085red"}', "control_character"),
        (b'{"prompt": "x", "sampler": "euler\\n"}', "control_character"),
        (b'{"prompt": "x", "checkpoint": "\\u0000"}', "control_character"),
        (b'{"prompt": "x", "pose_file_id": "a\\u0000"}', "control_character"),
    ],
)
async def test_a_bad_body_is_a_422_that_says_what(
    client: Client, forge: Product, raw: bytes, kind: str
) -> None:
    assert (await refused(client, raw))["type"] == kind
    assert forge.host.submitted == []


async def test_tabs_new_lines_and_every_script_are_words(client: Client) -> None:
    words = "knight\twith\r\nshield \u9a0e\u58eb \u0641\u0627\u0631\u0633 \U0001f600 e\u0301 \u200d"
    assert (await generate(client, prompt=words))["parameters"]["prompt"] == words.strip()


async def test_a_byte_order_mark_is_read_over(client: Client) -> None:
    answer = await client.post(f"{PREFIX}/generate/avatar", data=b'\xef\xbb\xbf{"prompt": "x"}', headers=JSON)
    assert answer.status == 200


async def test_a_body_full_of_tiny_values_takes_no_memory(client: Client) -> None:
    raw = b'{"prompt": [' + b"[]," * 3_000_000 + b"[]]}"
    tracemalloc.start()
    try:
        await refused(client, raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(raw)  # parsed, it would be twenty times as much


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("=", "not base64"),
        ("QUJ", "not base64"),
        ("QUJD=", "not base64"),
        ("QUI=QUI=", "not base64"),
        ("QU-_", "not base64"),
        ("QU\u00e9J", "not base64"),
        ("data:image/png,QUJD", ";base64"),
        ("data:image/png;base64", ";base64"),
        ("data:;base64,", "empty"),
        ("http://127.0.0.1/a.png", "not base64"),
        ("/etc/passwd", "not base64"),
        ("/etc/passwd0", "not a picture"),
        ("file:///etc/passwd", "not base64"),
        ("QUJD", "not a picture"),
        ("\x00", "not base64"),
        ("A" * 1024 * 1024 + "=" * 4, "not base64"),
        ("A" * (1024 * 1024 - 2) + "==" + "QUJD", "not base64"),
    ],
)
@pytest.mark.parametrize("field", ["pose_image", "reference_image"])
async def test_what_is_no_base64_of_a_picture_is_refused(
    client: Client, forge: Product, text: str, said: str, field: str
) -> None:
    answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", field: text})
    detail = (await answer.json())["detail"]
    assert (answer.status, said in detail) == (400, True), detail
    assert not [path for path in forge.blobs.folder.rglob("*") if path.is_file()]


async def test_base64_follows_the_bytes_and_not_the_words_before_them(client: Client, forge: Product) -> None:
    text = base64.b64encode(picture()).decode()
    folded = "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    for sent in (text, folded, f"data:image/gif;base64,{text}", f"data:text/html;charset=x;base64,{folded}"):
        await generate(client, reference_image=sent)
    page = await forge.files.page(limit=10, cursor=None)
    assert [listed.file.mime_type for listed in page.files] == ["image/png"]


async def test_base64_beyond_the_limit_is_413(client: Client, forge: Product) -> None:
    forge.files.max_bytes = len(picture())
    for data, status in ((picture(), 200), (picture() + b"\0", 413)):
        text = base64.b64encode(data).decode()
        answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", "pose_image": text})
        assert answer.status == status, await answer.text()
    answer = await client.post(f"{PREFIX}/generate/avatar", json={"prompt": "x", "pose_image": " " * 40_000})
    assert answer.status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"people":' * 50_000,
        POSE.replace("[9,", "[" + "9" * 5000 + ",").encode(),
        POSE.replace("[9,", "[1e999,", 1).encode(),
        POSE.replace("[9,", "[NaN,", 1).encode(),
        POSE.replace("[9,", '["9",', 1).encode(),
        POSE.replace("[9,", "[true,", 1).encode(),
        POSE.replace("300", "1e999").encode(),
        POSE.replace("300", "9" * 400).encode(),
        POSE.replace("300", "-5").encode(),
        POSE.replace('"people"', '"people": [], "people"').encode(),
        POSE.encode("utf-16"),
        POSE.encode() + b"\xff",
        POSE.encode() + b"{}",
        b'{"people": {}}',
        b'{"people": [[]]}',
        b'{"people": [{"pose_keypoints_2d": {}}]}',
        json.dumps({"people": [{"pose_keypoints_2d": [9, 9, 1] * 18}] * 21}).encode(),
        json.dumps([{"people": []}] * 1001).encode(),
        b'{"people": ["\\ud800"]}',
    ],
)
async def test_a_pose_in_bad_json_is_a_400_and_stores_nothing(
    client: Client, forge: Product, body: bytes
) -> None:
    answer = await client.post(f"{PREFIX}/upload/pose_image", data=body, headers=JSON)
    assert answer.status == 400, await answer.text()
    assert (await answer.json())["detail"].startswith("Invalid image file: ")
    assert (await forge.health.measure()).stored_files == 0


async def test_a_pose_in_json_is_bounded_in_bytes(client: Client) -> None:
    for extra, status in ((MAX_BYTES - len(POSE), 200), (MAX_BYTES - len(POSE) + 1, 413)):
        answer = await client.post(
            f"{PREFIX}/upload/pose_image", data=POSE.encode() + b" " * extra, headers=JSON
        )
        assert answer.status == status


NASTY = [
    "%00",
    "a%00.png",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2f..%2fuser%2fcomfyui.db",
    "..%5c..%5cwindows%5csystem.ini",
    "%2e%2e",
    "%252e%252e%252f",
    "%2fetc%2fpasswd",
    "C%3a%5cwindows%5cwin.ini",
    "%5c%5cserver%5cshare",
    "CON",
    "NUL",
    "aux.png",
    "COM1",
    "avatarforge_00001.png%00.txt",
    "avatarforge_00001.png%20",
    "avatarforge_00001.png.",
    "avatarforge_00001.PNG",
    "%c0%ae%c0%ae%c0%af",
    "%ff%fe",
    "%ed%a0%80",
    "%0d%0aSet-Cookie:%20a=b",
    "%e2%80%aegnp.exe",
    "x" * 255,
    "x" * 2000,  # a URL has three of them, and may have 8,190 bytes
    "*",
    "~",
    "$HOME",
    "%7b7%2a7%7d",
    "'%20OR%201=1--",
    "0" * 36,
    "00000000-0000-4000-8000-00000000000G",
]


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: text[:30])
async def test_no_path_is_made_from_what_stands_in_the_url(
    client: Client, forge: Product, nasty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = (await generate(client))["generation_id"]
    forge.host.succeed(forge.host.submitted[-1])
    await forge.until(generation, "completed")
    touched: list[str] = []
    open_really = Path.open

    def note(path: Path, *args: Any, **kwargs: Any) -> Any:
        touched.append(str(path))
        return open_really(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", note)
    for endpoint in ENDPOINTS:
        names = re.findall(r"{(\w+)}", endpoint.path)
        fills = [dict.fromkeys(names, nasty)] if names else []
        if "generation_id" in names and len(names) > 1:
            fills.append({**fills[0], "generation_id": generation})
        for fill in fills:
            path = endpoint.path
            for name, value in fill.items():
                path = path.replace(f"{{{name}}}", value)
            query = {"pose": "front"} if "reroll" in path else {}
            answer = await client.request(endpoint.method, URL(PREFIX + path, encoded=True), params=query)
            # Without its body a route that takes one looks no further.
            refusals = (404, 405, 422, 415) if endpoint.takes_body else (404, 405, 422)
            assert answer.status in refusals, (endpoint.path, await answer.text())
            assert answer.content_type == "application/json"
            assert str(forge.blobs.folder) not in await answer.text()
            assert "Set-Cookie" not in answer.headers
    assert touched == []


@pytest.mark.parametrize(
    "nasty", ["%00", "%ff", "%ed%a0%80", "x" * 5000, "%0d%0a", "8.8e28", "1e999", "-0", "9" * 5000]
)
async def test_a_nasty_query_is_a_4xx_everywhere(client: Client, nasty: str) -> None:
    file_id = (await upload(client))["file_id"]
    for endpoint in ENDPOINTS:
        if endpoint.query is None or endpoint.method == "DELETE":
            continue
        for name in endpoint.query.model_fields:
            path = re.sub(r"{\w+}", file_id, endpoint.path)
            url = f"{PREFIX}{path}?{name}={nasty}"
            answer = await client.request(
                endpoint.method,
                URL(url, encoded=True),
                json={"prompt": "x"} if endpoint.body else None,
            )
            # What is searched for, or filtered by, may be any text that is one.
            fits = nasty == "-0" or (name in ("q", "folder", "model", "tag") and len(nasty) < 100)
            allowed = {200, 404, 422} if fits else {404, 409, 422}
            # An upload whose query is in order lacks its file here.
            allowed |= {400} if endpoint.upload else set()
            assert answer.status in allowed, (url[:200], await answer.text())


async def test_the_document_names_the_bounds_in_the_words_of_json_schema(client: Client) -> None:
    document = await (await client.get(f"{PREFIX}/openapi.json")).json()
    body = document["components"]["schemas"]["AvatarBody"]["properties"]
    bounds = {name: {**body[name]["anyOf"][0]} for name in ("width", "steps", "seed", "cfg")}
    assert bounds["width"] == {"type": "integer", "minimum": 64, "maximum": 4096, "multipleOf": 8}
    assert bounds["steps"] == {"type": "integer", "minimum": 1, "maximum": 150}
    assert bounds["seed"] == {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
    assert bounds["cfg"] == {"type": "number", "minimum": 0, "maximum": 30}
    assert re.search('"(ge|le|gt|lt|multiple_of)":', json.dumps(document)) is None


async def test_a_shown_name_never_breaks_a_header(client: Client) -> None:
    for sent in (
        "a\r\nX-Evil: 1.png",
        'a";b=c.png',
        "\u202egnp.exe",
        "\u2028.png",
        "CON",
        "..",
        "\U0001f600" * 90,
    ):
        body = (
            b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''"
            + quote(sent, safe="").encode()
            + b"\r\n\r\n"
            + picture()
            + b"\r\n--b--\r\n"
        )
        file = await client.post(
            f"{PREFIX}/upload/pose_image",
            data=body,
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        )
        assert file.status == 200, await file.text()
        stored = await file.json()
        answer = await client.get(PREFIX + stored["url"])
        assert "X-Evil" not in answer.headers
        assert answer.headers["Content-Disposition"].isascii()
        assert answer.headers["Content-Disposition"].startswith('inline; filename="')
        await client.delete(PREFIX + f"/files/{stored['file_id']}")
