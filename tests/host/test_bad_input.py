"""Bad input on a real ComfyUI in which another pack holds Pillow's truncation flag up all the time."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import corpus
import pytest
from corpus_parts import chunk, encoded
from pictures import picture
from PIL import Image

from lab import memory
from lab.api import PREFIX, Api
from lab.sending import END, FORM, START, abort, answer, chunked, connect, exchange, head
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
LIMIT = 50 * memory.MEBIBYTE
BODY_READER = Path(__file__).parents[1] / "stand_ins" / "body_reader.py"
#: The header that tells that stand-in how to read the body of a request.
READS = "X-Stand-In-Reads"
FLAG = "AvatarForge's tests hold LOAD_TRUNCATED_IMAGES up"
PACK = f"""
import logging
from PIL import ImageFile
ImageFile.LOAD_TRUNCATED_IMAGES = True
logging.warning({FLAG!r})
NODE_CLASS_MAPPINGS = {{}}
"""


@pytest.fixture(scope="module")
def flagged(module_factory: Factory, tmp_path_factory: pytest.TempPathFactory) -> ComfyServer:
    node = tmp_path_factory.mktemp("pack") / "forgiving.py"
    node.write_text(PACK, encoding="utf-8")
    server = module_factory(models=(), nodes=(node, BODY_READER))
    assert FLAG in server.log()
    return server


@pytest.fixture
def target(flagged: ComfyServer) -> Api:
    return Api(flagged.url)


def left_over(server: ComfyServer) -> list[Path]:
    return list((server.base / "user" / "__avatarforge" / "storage" / "incoming").iterdir())


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def without_metadata(data: bytes) -> bytes:
    """A PNG with nothing but what its pixels need; any other file as it is.

    Odd metadata is accepted, and Pillow, which judges here, fails on it.
    """
    if not data.startswith(SIGNATURE):
        return data
    kept, position = SIGNATURE, len(SIGNATURE)
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        end = position + 12 + length
        if data[position + 4 : position + 8] in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            kept += data[position:end]
        position = end
    return kept


def damaged(case: corpus.Case) -> bool:
    """One of many cases that differ in the place of the damage alone. The unit tests check every one."""
    return any(f"-{damage}-" in case.name for damage in ("cut-at", "zeros-from", "flip"))


def test_the_corpus_gets_no_5xx_and_what_is_stored_decodes(flagged: ComfyServer) -> None:
    cases = list(corpus.cases())
    cases = [case for case in cases if not damaged(case)] + [case for case in cases if damaged(case)][::3]
    assert sum("-cut-at-" in case.name for case in cases) > 250
    own = threading.local()

    def send(case: corpus.Case) -> tuple[corpus.Case, int, str]:
        if not hasattr(own, "api"):
            own.api = Api(flagged.url)
        reply = own.api.post("/upload/reference_image", files={"file": ("a.png", case.data)})
        return case, reply.status_code, reply.text

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, cases))
    allowed = {"ok": {200}, "bad": {400}, "either": {200, 400}}
    assert [case.name for case, status, _ in answers if status not in allowed[case.expected]] == []
    assert Counter(status for _, status, _ in answers)[200] > 100
    kinds = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
    for case, status, text in answers:
        if status == 200:
            stored = json.loads(text)
            assert stored["content_hash"] == hashlib.sha256(case.data).hexdigest()
            with Image.open(io.BytesIO(without_metadata(case.data))) as opened:
                opened.load()
                assert stored["mime_type"] == kinds[str(opened.format)], case.name
                assert sorted(stored["dimensions"].values()) == sorted(opened.size)
    assert left_over(flagged) == []


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_fifty_megabytes_to_the_byte(target: Api, flagged: ComfyServer, prefix: str) -> None:
    plain = picture(len(prefix))
    end = plain[-12:]
    padded = plain[:-12] + chunk(b"prVt", bytes(LIMIT - len(plain) - 12)) + end
    assert len(padded) == LIMIT
    for data, status in ((padded, 200), (padded[:-12] + b"\0" + end, 413)):
        reply = target.request(
            "POST", f"{target.server}{prefix}{PREFIX}/upload/pose_image", files={"file": ("a.png", data)}
        )
        assert reply.status_code == status, reply.text
    assert reply.json()["detail"] == "File too large: the limit is 52428800 bytes (50 MB)."
    stored = target.get(f"/files/hash/{hashlib.sha256(padded).hexdigest()}").json()["file_id"]
    assert target.get(f"/files/{stored}").content == padded
    target.delete(f"/files/{stored}")
    assert left_over(flagged) == []


def megabytes(count: int, start: bytes = b"", piece: bytes = bytes(memory.MEBIBYTE)) -> Iterator[bytes]:
    yield start
    for _ in range(count):
        yield piece


def bodies() -> dict[str, tuple[str, tuple[str, ...], Callable[[], Iterable[bytes]], set[int]]]:
    """name -> path, header lines, the body of 200 MB, the statuses that it may get"""
    upload, generate = f"{PREFIX}/upload/pose_image", f"{PREFIX}/generate/avatar"
    form, as_json = f"Content-Type: {FORM}", "Content-Type: application/json"
    endless, total = "Transfer-Encoding: chunked", 200 * memory.MEBIBYTE
    packed = gzip.compress(START + bytes(total), 1)
    line = b"preamble\r\n" * 100_000
    parts = START + b"x" + END[:-4] + b"\r\n"
    return {
        "said": (upload, (form, f"Content-Length: {total}"), lambda: megabytes(200, START), {413}),
        "chunked": (upload, (form, endless), lambda: chunked(megabytes(200, START)), {413}),
        "preamble": (upload, (form, endless), lambda: chunked(megabytes(200, line, line)), {400}),
        "header": (upload, (form, endless), lambda: chunked(megabytes(200, START[:-4])), {400}),
        "parts": (upload, (form, endless), lambda: chunked(megabytes(200, START, parts * 9000)), {400, 413}),
        "epilogue": (
            upload,
            (form, endless),
            lambda: chunked(megabytes(200, START + picture() + END)),
            {400, 413},
        ),
        "gzip": (
            upload,
            (form, "Content-Encoding: gzip", f"Content-Length: {len(packed)}"),
            lambda: [packed],
            {415},
        ),
        "json": (generate, (as_json, f"Content-Length: {total}"), lambda: megabytes(200), {413}),
        "json chunked": (
            generate,
            (as_json, endless),
            lambda: chunked(megabytes(200, b'{"prompt": "')),
            {411},
        ),
        "pose in json": (upload, (as_json, endless), lambda: chunked(megabytes(200, b"{")), {413}),
    }


@pytest.mark.skipif(not memory.can_be_measured(), reason="reads /proc, which only Linux has")
@pytest.mark.parametrize("name", bodies())
def test_a_body_of_200_megabytes_is_refused_in_a_few(flagged: ComfyServer, name: str) -> None:
    path, lines, body, statuses = bodies()[name]
    exchange(flagged.url, [head(path, f"Content-Type: {FORM}", "Content-Length: 0")])
    before = memory.reset_peak(flagged.pid)
    status, text = exchange(flagged.url, itertools.chain([head(path, *lines)], body()))
    assert status in statuses, text
    assert json.loads(text)["detail"]
    until(lambda: left_over(flagged) == [])
    assert memory.peak(flagged.pid) - before < 20 * memory.MEBIBYTE


def large_pictures() -> list[bytes]:
    """Eight that decode to 50 MB each, as costly as the limits let them be."""
    noise = Image.effect_noise((4096, 4096), 90).convert("RGB")
    png = encoded(noise, "PNG", compress_level=0)
    jpeg = encoded(noise, "JPEG", quality=97, subsampling=0)
    end = len(png) - 12
    found = [png[:end] + chunk(b"prVt", bytes((number,))) + png[end:] for number in range(3)]
    found += [jpeg[:2] + b"\xff\xfe\0\3" + bytes((number,)) + jpeg[2:] for number in range(3)]
    found += [encoded(Image.new("RGB", (4096, 4096), colour), "WEBP") for colour in ("red", "blue")]
    assert all(len(data) < LIMIT for data in found)
    return found


@pytest.mark.skipif(not memory.can_be_measured(), reason="reads /proc, which only Linux has")
def test_eight_large_pictures_at_once_take_less_than_100_megabytes(flagged: ComfyServer) -> None:
    pictures = large_pictures()
    before = memory.reset_peak(flagged.pid)
    with ThreadPoolExecutor(len(pictures)) as pool:
        answers = list(pool.map(lambda data: Api(flagged.url).upload(data)["is_duplicate"], pictures))
    assert answers == [False] * len(pictures)
    assert memory.peak(flagged.pid) - before < 100 * memory.MEBIBYTE


def test_a_length_that_is_a_lie_ends_the_request(flagged: ComfyServer) -> None:
    body = START + picture() + END
    path = f"{PREFIX}/upload/pose_image"
    with connect(flagged.url) as link:
        link.sendall(head(path, f"Content-Type: {FORM}", f"Content-Length: {len(body) - 50}") + body[:-50])
        status, text = answer(link)
        assert (status, "ends before its last boundary" in json.loads(text)["detail"]) == (400, True)
        link.sendall(body[-50:] + b"\r\n\r\n")  # it is no request of its own, and aiohttp says so
        assert answer(link)[0] == 400
    with connect(flagged.url) as link:
        link.sendall(head(path, f"Content-Type: {FORM}", f"Content-Length: {len(body) + 50}") + body)
        link.shutdown(1)  # SHUT_WR: what was promised will not come
        while link.recv(65536):
            pass
    until(lambda: left_over(flagged) == [])


@pytest.mark.parametrize("after", [0, 100, 3 * memory.MEBIBYTE])
def test_an_upload_that_breaks_off_leaves_no_file_and_no_descriptor(flagged: ComfyServer, after: int) -> None:
    for _ in range(5):
        link = connect(flagged.url)
        link.sendall(head(f"{PREFIX}/upload/pose_image", f"Content-Type: {FORM}", "Content-Length: 9000000"))
        link.sendall((START + bytes(after))[:after])
        if after > memory.MEBIBYTE:
            until(lambda: left_over(flagged) != [])
        abort(link)
    until(lambda: left_over(flagged) == [])
    if memory.can_be_measured():
        until(lambda: memory.descriptors(flagged.pid, ".part") == 0)


@pytest.mark.parametrize("prefix", ["", "/api"])
@pytest.mark.parametrize(
    "path",
    [
        "/files/../../../etc/passwd",
        "/files/..%2f..%2f..%2fetc%2fpasswd",
        "/outputs/../../../../etc/passwd",
        "/outputs/00000000-0000-4000-8000-000000000000/..%5c..%5ccomfyui.db",
        "/outputs/00000000-0000-4000-8000-000000000000/%2e%2e%2f%2e%2e%2fcomfyui.log",
        "/files/%00",
        "/files//etc/passwd",
        "/files/NUL",
        "/files/" + "x" * 5000,
    ],
)
def test_no_path_leads_out(flagged: ComfyServer, prefix: str, path: str) -> None:
    with connect(flagged.url) as link:
        link.sendall(head(prefix + PREFIX + path, method="GET"))
        status, body = answer(link)
    assert status in (400, 404)
    assert b"root:" not in body
    assert str(flagged.base).encode() not in body


def test_comfyui_and_the_api_are_well_after_all_that(flagged: ComfyServer, target: Api) -> None:
    assert target.get("/health").json()["database"]["status"] == "healthy"
    assert target.root("/queue").status_code == 200
    assert "AvatarForge: unexpected error" not in flagged.log()
    assert target.upload(picture(77))["is_duplicate"] is False


# A pack whose middleware reads bodies first


@pytest.mark.parametrize("how", ["form", "text"])
@pytest.mark.parametrize("start", ["", "/api"])
def test_uploads_work_beside_a_pack_that_reads_them_first(target: Api, how: str, start: str) -> None:
    headers = {READS: how}
    for kind in ("pose", "reference"):
        content = picture(secrets.randbits(64))
        url = f"{target.server}{start}{PREFIX}/upload/{kind}_image"
        reply = target.post(url, files={"file": ("grün.png", content)}, headers=headers)
        assert reply.status_code == 200, reply.text
        stored = reply.json()
        assert (stored["content_hash"], stored["filename"]) == (
            hashlib.sha256(content).hexdigest(),
            "grün.png",
        )
    link = target.post("/signed_urls", json={"urls": [stored["url"]]}, headers=headers)
    assert link.status_code == 200, link.text
    # Without a model nothing is generated; that this is the reason shows that the body was read.
    refused = target.post("/generate/avatar", json={"prompt": "a knight"}, headers=headers)
    assert refused.status_code == 503
    assert "checkpoint" in refused.json()["detail"]
    broken = target.post("/upload/pose_image", files={"picture": ("a.png", picture())}, headers=headers)
    assert (broken.status_code, "unexpected field 'picture'" in broken.json()["detail"]) == (400, True)


def test_a_client_that_waits_beside_such_a_pack_is_told_to_go_on(target: Api) -> None:
    content = picture(secrets.randbits(64))
    body = START + content + END
    lines = (
        f"{READS}: form",
        "Expect: 100-continue",
        f"Content-Type: {FORM}",
        f"Content-Length: {len(body)}",
    )
    with connect(target.server) as line:
        line.sendall(head(f"{PREFIX}/upload/pose_image", *lines))
        received = line.recv(1000)
        assert received.startswith(b"HTTP/1.1 100 ")
        line.sendall(body)
        status, reply = answer(line)
    assert (status, json.loads(reply)["content_hash"]) == (200, hashlib.sha256(content).hexdigest())


def test_a_body_that_such_a_pack_does_not_keep_is_said_to_be_gone(flagged: ComfyServer, target: Api) -> None:
    headers = {READS: "away"}
    for reply in (
        target.post("/upload/pose_image", files={"file": ("a.png", picture())}, headers=headers),
        target.post("/generate/avatar", json={"prompt": "a knight"}, headers=headers),
        target.post("/signed_urls", json={"urls": ["/files/x"]}, headers=headers),
    ):
        assert reply.status_code == 500
        assert reply.json()["detail"].startswith("Another custom node pack read the body of this request")
        assert str(flagged.base) not in reply.text
    assert "body_reader.look" in flagged.log()
