"""Files on a real ComfyUI: every field of every answer, every refusal, plain and under /api."""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pictures import picture
from PIL import Image

from lab.api import PREFIX, Api
from lab.sending import END, FORM, START, answer, connect, head
from lab.server import ComfyServer

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def fresh(size: tuple[int, int] = (64, 64), kind: str = "PNG") -> bytes:
    """A picture that nobody has uploaded before."""
    return picture(secrets.randbits(64), size, kind)


@pytest.mark.parametrize("kind", ["pose", "reference"])
@pytest.mark.parametrize(
    ("form", "mime", "extension"),
    [("PNG", "image/png", "png"), ("JPEG", "image/jpeg", "jpg"), ("WEBP", "image/webp", "webp")],
)
def test_upload_and_download(api: Api, kind: str, form: str, mime: str, extension: str) -> None:
    data = fresh((80, 64), form)
    answer = api.upload(data, kind, "my pose.bin")
    assert UUID.fullmatch(answer["file_id"])
    assert TIME.fullmatch(answer["created_at"])
    assert answer == {
        "file_id": answer["file_id"],
        "filename": f"my pose.{extension}",
        "content_hash": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "mime_type": mime,
        "dimensions": {"width": 80, "height": 64},
        "url": f"/files/{answer['file_id']}",
        "is_duplicate": False,
        "created_at": answer["created_at"],
    }
    for url in (
        answer["url"],
        PREFIX + answer["url"],
        "/api" + answer["url"],
        "/api" + PREFIX + answer["url"],
    ):
        got = api.root(url)
        assert (got.status_code, got.content) == (200, data)
        assert got.headers["Content-Type"] == mime
        assert got.headers["ETag"] == f'"{answer["content_hash"]}"'
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Cache-Control"] == "no-cache"


def test_duplicates_by_both_routes(api: Api) -> None:
    data = fresh()
    first = api.upload(data, "pose", "a.png")
    assert api.upload(data, "reference", "b.png") == {**first, "is_duplicate": True}


def test_racing_uploads_make_one_file(api: Api) -> None:
    data = fresh()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: Api(api.server).upload(data), range(32)))
    assert len({answer["file_id"] for answer in answers}) == 1
    assert sum(not answer["is_duplicate"] for answer in answers) == 1


def test_conditional_head_and_range(api: Api) -> None:
    data = fresh()
    file = api.upload(data)
    tag = f'"{file["content_hash"]}"'
    unchanged = api.get(file["url"], headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    head = api.head(file["url"])
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", str(len(data)))
    part = api.get(file["url"], headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.content) == (206, data[5:15])
    assert part.headers["Content-Range"] == f"bytes 5-14/{len(data)}"
    beyond = api.get(file["url"], headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416
    assert "detail" in beyond.json()


def test_hash_check(api: Api) -> None:
    data = fresh()
    content_hash = hashlib.sha256(data).hexdigest()
    assert api.get(f"/files/hash/{content_hash}").json() == {
        "exists": False,
        "file_id": None,
        "message": "No file with this content exists",
    }
    file = api.upload(data, filename="pose.png")
    assert api.get(f"/files/hash/{content_hash}").json() == {
        "exists": True,
        "file_id": file["file_id"],
        "message": "File exists: pose.png",
    }
    for bad in ("abc", "z" * 64, content_hash + "0"):
        refused = api.get(f"/files/hash/{bad}")
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["path", "content_hash"]


def test_delete_hard_soft_and_force(api: Api) -> None:
    unused = api.upload(fresh())
    gone = api.delete(f"/files/{unused['file_id']}")
    assert gone.status_code == 200
    assert gone.json() == {"file_id": unused["file_id"], "deleted": "hard", "message": "File deleted"}
    assert api.get(unused["url"]).status_code == 404
    assert api.delete(f"/files/{unused['file_id']}").status_code == 404

    data = fresh()
    used = api.upload(data)
    done = api.wait(api.generate(reference_file_id=used["file_id"])["generation_id"])
    assert done["status"] == "completed"
    soft = api.delete(f"/files/{used['file_id']}").json()
    assert (soft["deleted"], soft["file_id"]) == ("soft", used["file_id"])
    assert api.get(used["url"]).status_code == 404
    assert api.get(f"/files/hash/{used['content_hash']}").json()["exists"] is False
    refused = api.post("/generate/avatar", json={"prompt": "x", "reference_file_id": used["file_id"]})
    assert refused.status_code == 404

    restored = api.upload(data)
    assert (restored["file_id"], restored["is_duplicate"]) == (used["file_id"], True)
    assert api.get(used["url"]).content == data
    forced = api.delete(f"/files/{used['file_id']}", params={"force": "true"}).json()
    assert forced["deleted"] == "hard"
    assert api.get(used["url"]).status_code == 404


def test_the_last_generation_takes_a_hidden_file_along(api: Api, comfy: ComfyServer) -> None:
    used = api.upload(fresh())
    generation = api.wait(api.generate(reference_file_id=used["file_id"])["generation_id"])
    api.delete(f"/files/{used['file_id']}")
    stored = list((comfy.base / "user" / "__avatarforge" / "storage").rglob(used["content_hash"] + ".*"))
    assert len(stored) == 1
    assert api.delete(f"/generations/{generation['generation_id']}").status_code == 200
    assert not stored[0].exists()


def test_clean_up(api: Api) -> None:
    kept = api.upload(fresh())
    api.wait(api.generate(reference_file_id=kept["file_id"])["generation_id"])
    orphan = api.upload(fresh())
    nothing = api.post("/cleanup/orphaned-files").json()
    assert (nothing["cleanup_days"], nothing["files_deleted"]) == (30, 0)
    answer = api.post("/cleanup/orphaned-files", params={"days": 0}).json()
    assert set(answer) == {"files_deleted", "cleanup_days", "message"}
    assert answer["cleanup_days"] == 0
    assert answer["files_deleted"] >= 1
    assert api.get(orphan["url"]).status_code == 404
    assert api.get(kept["url"]).status_code == 200
    for days in ("-1", "x", "99999"):
        assert api.post("/cleanup/orphaned-files", params={"days": days}).status_code == 422


def animated() -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, kind)
    return buffer.getvalue()


def post_file(field: str, content: bytes) -> dict[str, Any]:
    return {"files": {field: ("a.png", content)}}


@pytest.mark.parametrize(
    ("sent", "status", "words"),
    [
        (lambda: post_file("file", b"hello"), 400, "Invalid image file: "),
        (lambda: post_file("file", b""), 400, "Invalid image file: "),
        (lambda: post_file("file", fresh()[:-25]), 400, "Invalid image file: "),
        (lambda: post_file("file", animated()), 400, "Invalid image file: "),
        (lambda: post_file("file", encoded("GIF")), 400, "Invalid image file: "),
        (lambda: post_file("file", encoded("BMP")), 400, "Invalid image file: "),
        (lambda: post_file("file", encoded("TIFF")), 400, "Invalid image file: "),
        (lambda: post_file("file", fresh((63, 64))), 400, "63x64"),
        (lambda: post_file("file", fresh((4097, 64))), 400, "4097x64"),
        (lambda: post_file("image", fresh()), 400, "'file'"),
        (lambda: {"data": b"no form"}, 400, "'file'"),
        (lambda: {"json": {"file": "x"}}, 400, "'file'"),
        (lambda: post_file("file", bytes(52_428_801)), 413, "File too large: "),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_refused_uploads(
    api: Api, comfy: ComfyServer, sent: Callable[[], dict[str, Any]], status: int, words: str
) -> None:
    for kind in ("pose", "reference"):
        answer = api.post(f"/upload/{kind}_image", **sent())
        assert answer.status_code == status, answer.text
        assert set(answer.json()) - {"parameters"} == {"detail", "code"}
        assert words in answer.json()["detail"]
    assert not list((comfy.base / "user" / "__avatarforge" / "storage" / "incoming").iterdir())


@pytest.mark.parametrize("size", [(64, 64), (4096, 64), (64, 4096)])
def test_sizes_at_the_limits_are_taken(api: Api, size: tuple[int, int]) -> None:
    answer = api.upload(fresh(size))
    assert answer["dimensions"] == {"width": size[0], "height": size[1]}


def test_unknown_ids_and_paths(api: Api) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    for method, path in (
        ("GET", f"/files/{unknown}"),
        ("GET", "/files/nope"),
        ("DELETE", f"/files/{unknown}"),
        ("GET", "/nothing/here"),
    ):
        answer = api.request(method, path)
        assert answer.status_code == 404
        assert isinstance(answer.json()["detail"], str)
        assert answer.headers["Cache-Control"] == "no-store"
    # Under the server's root only UUIDs are ours: the rest stays ComfyUI's.
    assert api.root("/files/nope").headers["Content-Type"] != "application/json"


def test_other_packs_and_comfyui_answer_while_uploads_run(api: Api) -> None:
    done = threading.Event()

    def load() -> None:
        while not done.is_set():
            Api(api.server).upload(fresh((512, 512)))

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(load) for _ in range(2)]
        answers = [api.root("/queue").status_code for _ in range(50)]
        done.set()
        for job in running:
            job.result()
    assert set(answers) == {200}


def test_stored_files_are_listed_newest_first_and_paged(api: Api) -> None:
    uploaded = [api.upload(fresh((72, 64)), filename=f"{number}.png") for number in range(3)]
    first = api.get("/files?limit=2").json()
    second = api.get("/files", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    listed = [*first["files"], *second["files"]]
    assert [file["file_id"] for file in listed] == [file["file_id"] for file in reversed(uploaded)]
    newest = {name: value for name, value in uploaded[-1].items() if name != "is_duplicate"}
    assert listed[0] == {**newest, "references": 0, "last_used_at": listed[0]["last_used_at"]}
    assert TIME.fullmatch(listed[0]["last_used_at"])
    assert first["total"] >= 3


def test_a_thumbnail_is_small_and_revalidated(api: Api) -> None:
    url = f"/files/{api.upload(fresh((300, 150)))['file_id']}/thumbnail"
    for query, size in (("", (256, 128)), ("?size=64", (64, 32))):
        answer = api.get(url + query)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(answer.content)).size == size
        again = api.get(url + query, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        # Like the file itself, and not for a day as ComfyUI would have it for pictures.
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_an_announced_content_is_answered_before_its_body(api: Api, prefix: str) -> None:
    """ComfyUI copies the routes under /api; both have to leave the expectation to us."""
    known, new = fresh(), fresh()
    stored = api.upload(known)
    for data in (known, new):
        lines = (
            f"Content-Type: {FORM}",
            f"Content-Length: {len(START + data + END)}",
            f"X-Content-SHA256: {hashlib.sha256(data).hexdigest()}",
            "Expect: 100-continue",
        )
        with connect(api.server) as link:
            link.sendall(head(f"{prefix}{PREFIX}/upload/reference_image", *lines))
            if data is new:
                received = link.recv(1000)
                assert received == b"HTTP/1.1 100 Continue\r\n\r\n"
                link.sendall(START + data + END)
            status, body = answer(link)
        assert status == 200
        found = json.loads(body)
        assert found["is_duplicate"] is (data is known)
        assert (found["file_id"] == stored["file_id"]) is (data is known)
