"""The queue on a real ComfyUI: whatever happens to a prompt in it, its generation says so."""

from __future__ import annotations

import contextlib
import io
import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from pictures import picture
from PIL import Image

from lab.api import Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]

FATAL = Path(__file__).parents[1] / "stand_ins" / "fatal_pose.py"
REMOVED = "Cancelled: it was removed from ComfyUI's queue before it finished."
CANCELLED = "Cancelled on request."
#: What "within seconds" allows, on two busy cores.
SECONDS = 15.0
WORD = "xylophonist"


def long_one(api: Api) -> dict[str, Any]:
    """A running generation that ends long after the test."""
    return api.started(api.generate(steps=150, width=256, height=256)["generation_id"])


def stop(api: Api, generation: dict[str, Any]) -> None:
    """Cancel it. While ComfyUI loads a model the answer may come before the end."""
    assert act(api, generation, "cancel").json()["status"] in ("processing", "failed")
    stopped = api.wait(generation["generation_id"])
    assert (stopped["status"], stopped["error"]) == ("failed", CANCELLED)


def act(api: Api, generation: dict[str, Any], verb: str) -> requests.Response:
    return api.post(f"/generations/{generation['generation_id']}/{verb}")


def test_an_item_deleted_in_comfyui_ends_as_failed(api: Api) -> None:
    running, waiting = long_one(api), api.generate()
    api.request("POST", api.server + "/queue", json={"delete": [waiting["comfyui_prompt_id"]]})
    removed = api.wait(waiting["generation_id"], SECONDS)
    assert (removed["status"], removed["error"]) == ("failed", REMOVED)
    stop(api, running)


def pixels(api: Api, generation: dict[str, Any]) -> bytes:
    """Without the metadata, which names the generation."""
    with Image.open(io.BytesIO(api.root(generation["output_files"][0]["url"]).content)) as image:
        return image.convert("RGB").tobytes()


def test_cancel_and_retry(api: Api) -> None:
    running, waiting = long_one(api), api.generate(seed=11)
    cancelled = act(api, waiting, "cancel")
    assert cancelled.status_code == 200
    assert (cancelled.json()["status"], cancelled.json()["error"]) == ("failed", CANCELLED)
    assert act(api, waiting, "cancel").status_code == 409
    again = act(api, waiting, "retry")
    assert again.status_code == 200, again.text
    assert (again.json()["status"], again.json()["error"]) == ("queued", None)
    assert again.json()["parameters"] == waiting["parameters"]
    assert act(api, waiting, "retry").status_code == 409
    stop(api, running)
    done = api.wait(waiting["generation_id"])
    assert (done["status"], len(done["output_files"])) == ("completed", 1)
    other = api.wait(api.generate(seed=11)["generation_id"])
    item, same = (pixels(api, found) for found in (done, other))
    assert item == same
    assert act(api, {"generation_id": "nope"}, "retry").status_code == 404
    assert act(api, done, "retry").status_code == 409


def test_cancel_leaves_the_prompt_of_somebody_else_alone(api: Api, comfy: ComfyServer) -> None:
    theirs = long_one(api)  # of another client
    ours = api.generate()
    assert act(api, ours, "cancel").json()["error"] == CANCELLED
    assert api.get(f"/generations/{theirs['generation_id']}").json()["status"] == "processing"
    stop(api, theirs)


def test_a_cleared_history_takes_no_result_with_it(api: Api) -> None:
    for seed in range(3):
        generation = api.generate(seed=seed)
        while True:
            api.request("POST", api.server + "/history", json={"clear": True})
            found = api.get(f"/generations/{generation['generation_id']}").json()
            if found["status"] in ("completed", "failed"):
                break
        assert (found["status"], found["error"]) == ("completed", None)


def test_the_log_names_the_generation_and_none_of_its_words(api: Api, comfy: ComfyServer) -> None:
    done = api.wait(api.generate(prompt=WORD, clothing=WORD)["generation_id"])
    file = api.upload(picture(4711))
    running = long_one(api)
    failing = api.generate(prompt=WORD, reference_file_id=file["file_id"])
    api.delete(f"/files/{file['file_id']}", params={"force": "true"})
    act(api, running, "cancel")
    assert api.wait(failing["generation_id"])["status"] == "failed"
    lines = [line for line in comfy.log().splitlines() if "AvatarForge: generation" in line]
    for generation, words in ((done, "completed: avatar, pictures: 1, waited "), (failing, "failed: avatar")):
        (line,) = [line for line in lines if generation["generation_id"] in line and words in line]
    assert "AvatarForgeLoadReference" in line
    assert WORD not in comfy.log()


def rows(server: ComfyServer) -> dict[str, tuple[str, int]]:
    """Status and starts of each generation, read from the file of a ComfyUI that is gone."""
    path = server.base / "user" / "__avatarforge" / "avatarforge.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT id, status, attempts FROM generations").fetchall()
    return {row[0]: (row[1], row[2]) for row in found}


def until_gone(server: ComfyServer) -> None:
    deadline = time.monotonic() + 60
    while server.running:
        if time.monotonic() > deadline:
            raise TimeoutError("ComfyUI still runs")
        time.sleep(0.05)


@pytest.fixture(scope="module")
def broken_pack(module_factory: Factory) -> ComfyServer:
    """A ComfyUI with a pack that fails in every way. The last test of this module ends it."""
    return module_factory(nodes=[FATAL], env={"STAND_IN_ENDS": "process"})


def plain(colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("colour", "said"),
    [("#f00", "PackError without a message"), ("#0f0", "cannot read dw pose.onnx, it is 1/2 there")],
)
def test_a_failing_node_names_its_exception_or_its_file_and_no_folder(
    broken_pack: ComfyServer, colour: str, said: str
) -> None:
    api = Api(broken_pack.url)
    photo = api.upload(plain(colour))["file_id"]
    failed = api.wait(api.generate(pose_file_id=photo, pose_mode="photo")["generation_id"], SECONDS)
    assert re.fullmatch(rf"DWPreprocessor \(node \d+\): {re.escape(said)}", failed["error"])
    api.delete(f"/generations/{failed['generation_id']}")


def test_a_prompt_that_the_queue_refuses_is_a_503_and_leaves_nothing(broken_pack: ComfyServer) -> None:
    api = Api(broken_pack.url)
    flag = broken_pack.base / "refuse-prompts"
    before = rows(broken_pack)
    flag.touch()
    refused = api.post("/generate/avatar", json={"prompt": "x"})
    flag.unlink()
    assert refused.status_code == 503
    assert "did not take the prompt into its queue" in refused.json()["detail"]
    assert rows(broken_pack) == before
    taken = api.wait(api.generate()["generation_id"], SECONDS)
    assert taken["status"] == "completed"
    api.delete(f"/generations/{taken['generation_id']}")


@pytest.mark.timeout(240)
def test_a_prompt_that_ends_comfyui_and_one_that_ends_its_worker_thread(broken_pack: ComfyServer) -> None:
    server = broken_pack
    api = Api(server.url)
    photo = api.upload(picture(7))["file_id"]
    requested = {"pose_file_id": photo, "pose_mode": "photo"}
    # The fatal one must not run before the other one is accepted.
    blocker = long_one(api)
    fatal, waiting = api.generate(**requested), api.generate()
    with contextlib.suppress(requests.ConnectionError):  # ComfyUI may end before it answers
        api.delete(f"/generations/{blocker['generation_id']}")
    until_gone(server)
    # The start was committed before the node ran, and those behind it are not blamed.
    assert rows(server) == {
        fatal["generation_id"]: ("processing", 1),
        waiting["generation_id"]: ("queued", 0),
    }

    server.env["STAND_IN_ENDS"] = "thread"
    server.restart()
    api = Api(server.url)
    for item in (fatal, waiting):
        failed = api.wait(item["generation_id"], SECONDS)
        assert failed["status"] == "failed"
        assert failed["error"].startswith("ComfyUI's worker thread ended")
        assert "/retry" in failed["error"]
    health = api.get("/health").json()
    assert (health["api_status"], health["queue"]["status"]) == ("degraded", "unhealthy")
    assert "worker thread ended" in health["reason"]
    for refused in (api.post("/generate/avatar", json={"prompt": "x"}), act(api, waiting, "retry")):
        assert refused.status_code == 503
        assert "Restart ComfyUI" in refused.json()["detail"]
    assert api.get("/generations").json()["total"] == 2
