"""Accepted means on the disk: the order of system calls of a real ComfyUI (acceptance check 1)."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator

import pytest
from pictures import picture
from system_calls import NotPermitted, Trace, system_calls

from lab.api import Api
from lab.server import ComfyServer
from lab.system import strace

SYNC = "fsync|fdatasync"
DATABASE = r"avatarforge\.db(-wal)?>"
SEND = "sendto|sendmsg|write|writev"
ANSWER = r"HTTP/1\.1 200"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="strace is Linux's")


@pytest.fixture(scope="module")
def traced(
    api: Api, comfy: ComfyServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Trace]]:
    """What ComfyUI does for one upload of a new content, and for one generation."""
    api.wait(api.generate()["generation_id"])  # the model is loaded: fewer calls that are not ours
    folder, found = tmp_path_factory.mktemp("strace"), {}
    content = picture(secrets.randbits(64))
    try:
        with system_calls(strace(), comfy.pid, folder / "upload.txt") as found["upload"]:
            api.upload(content)
            api.get("/health")  # answered later: by then strace has seen the upload's answer go out whole
        with system_calls(strace(), comfy.pid, folder / "generate.txt") as found["generate"]:
            generation = api.generate()
            api.get("/health")
    except NotPermitted as error:
        pytest.skip(
            f"THE ORDER OF SYSTEM CALLS WAS NOT CHECKED: strace may not look at ComfyUI here: {error}"
        )
    api.wait(generation["generation_id"])
    yield found


def test_an_upload_is_on_the_disk_before_it_is_answered(traced: dict[str, Trace]) -> None:
    trace = traced["upload"]
    whole = trace.first(SYNC, r"incoming/[0-9a-f-]+\.part>")
    moved = trace.first("rename|renameat|renameat2", r"\.part\".*blobs/", after=whole)
    named = trace.first(SYNC, r"/blobs/[0-9a-f]{2}>", after=moved)
    committed = trace.first(SYNC, DATABASE, after=named)
    trace.first(SEND, ANSWER, after=committed)
    assert trace.first(SEND, ANSWER) > committed


def test_a_generation_is_committed_before_it_is_answered(traced: dict[str, Trace]) -> None:
    trace = traced["generate"]
    committed = trace.first(SYNC, DATABASE)
    assert trace.first(SEND, ANSWER) > committed
