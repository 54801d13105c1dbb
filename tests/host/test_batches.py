"""A batch on a real ComfyUI: drawn by the paper doll, with a single request between, and through a kill."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from lab.api import Api
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
SMALL: dict[str, Any] = {"prompt": "a knight", "family": "doll", "width": 64, "height": 64, "steps": 1}
NOTHING: dict[str, Any] = {"models": ()}


def ids_of(batch: dict[str, Any]) -> list[str]:
    return [item["generation_id"] for item in batch["generations"]]


def until_ended(api: Api, batch_id: str) -> dict[str, Any]:
    while (batch := api.get(f"/batch/{batch_id}?wait=30").json())["status"] not in ("completed", "failed"):
        pass  # each answer comes when the batch has ended or after half a minute; pytest bounds this
    return dict(batch)


def started_at(api: Api, generation_id: str) -> str:
    return str(api.get(f"/generations/{generation_id}").json()["started_at"])


@pytest.mark.skipif(os.name == "nt", reason="a process is killed as POSIX does it")
def test_a_batch_with_a_single_request_between_a_cancel_a_retry_and_a_kill(module_factory: Factory) -> None:
    server = module_factory(**NOTHING)
    api = Api(server.url)
    # Large enough that each takes longer than a request.
    requests = [{**SMALL, "seed": number, "steps": 4, "width": 768, "height": 1152} for number in range(8)]
    requests[7] = {**SMALL, "kind": "pose", "pose": "back", "seed": 1}
    answer = api.post("/batch", json={"requests": requests, "name": "knights"})
    assert answer.status_code == 200, answer.text
    batch = answer.json()
    path, ids = f"/batch/{batch['batch_id']}", ids_of(batch)
    api.started(ids[0])
    single = api.generate(**SMALL)["generation_id"]
    assert api.wait(single)["status"] == "completed"
    # What was not ahead of it in ComfyUI's queue starts after it.
    state = api.get(path).json()
    assert state["status"] == "processing"
    assert [item["status"] for item in state["generations"]][5:] == ["queued"] * 3
    # One is cancelled while it waits, and the process ends.
    assert api.post(f"/generations/{ids[6]}/cancel").json()["error_code"] == "cancelled"
    server.kill()
    server.restart()
    api = Api(server.url)
    ended = until_ended(api, batch["batch_id"])
    assert [item["status"] for item in ended["generations"]] == ["completed"] * 6 + ["failed", "completed"]
    assert (ended["status"], ended["completed"], ended["failed"], ended["progress"]) == ("failed", 7, 1, 1.0)
    assert started_at(api, single) < started_at(api, ids[5])
    back = api.get(f"/generations/{ids[7]}").json()
    assert [file["pose_type"] for file in back["output_files"]] == ["back"]
    # The failed one runs again, and everything goes.
    assert api.post(f"{path}/retry").json()["failed"] == 0
    assert until_ended(api, batch["batch_id"])["status"] == "completed"
    assert api.get(f"/generations?batch_id={batch['batch_id']}").json()["total"] == 8
    assert api.delete(path).status_code == 200
    assert api.get("/generations").json()["total"] == 1
    assert api.post("/maintenance/verify").json()["problems"] == []
