"""Steering on a real ComfyUI: what is given decides the pixels, and the receipt says how."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from pictures import picture
from PIL import Image

from avatarforge.forge.spec.views import EIGHT_VIEWS, VIEW_NAMES
from lab.api import Api
from lab.server import ComfyServer

VIEWS = ["front", "back", "side", "quarter"]
SHEET = "/generate_all_poses"
SMALL = {"width": 64, "height": 72, "steps": 1, "seed": 11}

POSE_JSON = json.dumps(
    {
        "canvas_width": 512,
        "canvas_height": 768,
        "people": [
            {
                "pose_keypoints_2d": [
                    number
                    for x, y in [
                        (256, 110), (256, 170), (210, 175), (180, 250), (120, 200), (302, 175),
                        (330, 250), (335, 330), (225, 360), (220, 500), (215, 650), (287, 360),
                        (292, 500), (297, 650), (244, 100), (268, 100), (228, 108), (284, 108),
                    ]
                    for number in (x, y, 1.0)
                ]
            }
        ],
    }
).encode()  # fmt: skip


def fresh() -> bytes:
    return picture(secrets.randbits(64))


def contents(api: Api, generation: dict[str, Any]) -> list[bytes]:
    return [api.root(output["url"]).content for output in generation["output_files"]]


def pixels(api: Api, generation: dict[str, Any]) -> list[str]:
    """A hash of the pixels of each picture, whatever its metadata."""
    found = []
    for content in contents(api, generation):
        with Image.open(io.BytesIO(content)) as image:
            found.append(hashlib.sha256(image.convert("RGB").tobytes()).hexdigest())
    return found


def run(api: Api, route: str = SHEET, **body: Any) -> dict[str, Any]:
    done = api.wait(api.generate(route, **{**SMALL, **body})["generation_id"])
    assert done["status"] == "completed", done["error"]
    return done


def ran(api: Api, prompt_id: str) -> dict[str, Any]:
    """The prompt as ComfyUI's history holds it."""
    prompt: dict[str, Any] = api.root(f"/history/{prompt_id}").json()[prompt_id]["prompt"][2]
    return prompt


def receipt_matches(api: Api, generation: dict[str, Any]) -> None:
    """Each line of the receipt names a node of the prompt that really ran, with that strength."""
    assert generation["inputs"]
    for line in generation["inputs"]:
        prompt = ran(api, line["comfyui_prompt_id"])
        node = prompt[line["node"]]
        assert node["class_type"] == line["node_type"]
        assert node["inputs"].get("strength", node["inputs"].get("consistency")) == line["strength"]
        models = {
            value
            for item in prompt.values()
            for name, value in item["inputs"].items()
            if name in ("ckpt_name", "control_net_name")
        }
        assert line["model"] in models
        files = {item["inputs"]["file_id"] for item in prompt.values() if "file_id" in item["inputs"]}
        assert line["file_id"] is None or line["file_id"] in files
        assert line["steps"] == {"first": 1, "last": generation["parameters"]["steps"]}


def test_the_sheet_is_one_sampler_run_and_repeats_exactly(api: Api) -> None:
    first = run(api)
    assert [output["pose_type"] for output in first["output_files"]] == VIEWS
    assert first["parameters"]["turnaround"] == "batch"
    prompt = ran(api, first["comfyui_prompt_id"])
    kinds = [node["class_type"] for node in prompt.values()]
    assert kinds.count("KSampler") == kinds.count("CheckpointLoaderSimple") == 1
    assert first["warnings"] == []
    receipt_matches(api, first)
    assert pixels(api, run(api)) == pixels(api, first)
    assert len(set(pixels(api, first))) == 4
    narrow = first["output_files"][2]["dimensions"]
    assert narrow["width"] < narrow["height"] == 72


def test_consistency_changes_the_other_views_and_never_the_front(api: Api) -> None:
    off, half, full = (pixels(api, run(api, consistency=value)) for value in (0, 0.5, 1))
    assert off[0] == half[0] == full[0]
    for view in range(1, 4):
        assert len({off[view], half[view], full[view]}) == 3


def test_one_after_another_the_others_look_at_the_front(api: Api) -> None:
    done = run(api, turnaround="sequential")
    assert done["parameters"]["turnaround"] == "sequential"
    prompt = ran(api, done["comfyui_prompt_id"])
    assert sum(node["class_type"] == "KSampler" for node in prompt.values()) == 4
    assert {line["pose_type"] for line in done["inputs"] if line["role"] == "anchor"} == set(VIEWS[1:])
    receipt_matches(api, done)
    alone = run(api, turnaround="sequential", consistency=0)
    assert pixels(api, done)[0] == pixels(api, alone)[0]
    assert not set(pixels(api, done)[1:]) & set(pixels(api, alone)[1:])


def test_a_reference_steers_every_view(api: Api) -> None:
    item, other = api.upload(fresh(), "reference"), api.upload(fresh(), "reference")
    without = pixels(api, run(api))
    with_one = run(api, reference_file_id=item["file_id"])
    assert {line["pose_type"] for line in with_one["inputs"] if line["role"] == "reference"} == set(VIEWS)
    receipt_matches(api, with_one)
    seen = pixels(api, with_one)
    assert not set(seen) & set(without)
    assert pixels(api, run(api, reference_file_id=item["file_id"])) == seen
    assert not set(pixels(api, run(api, reference_file_id=other["file_id"]))) & set(seen)
    weaker = run(api, reference_file_id=item["file_id"], reference_strength=0.3)
    assert not set(pixels(api, weaker)) & set(seen)
    none = run(api, reference_file_id=item["file_id"], reference_strength=0)
    assert pixels(api, none) == without
    assert not [line for line in none["inputs"] if line["role"] == "reference"]
    assert pixels(api, run(api)) == without  # nothing of it stayed in the model


@pytest.mark.parametrize("turnaround", ["batch", "sequential"])
def test_a_sheet_of_other_views_looks_at_its_first(api: Api, turnaround: str) -> None:
    asked = list(EIGHT_VIEWS)
    done = run(api, views=asked, turnaround=turnaround)
    given = [output["pose_type"] for output in done["output_files"]]
    assert given == [name for name in VIEW_NAMES if name in asked]
    assert len(set(pixels(api, done))) == len(asked)
    receipt_matches(api, done)
    anchored = {line["pose_type"] for line in done["inputs"] if line["role"] == "anchor"}
    assert anchored == set(given[1:])
    skeletons = {line["pose_type"] for line in done["inputs"] if line["role"] == "view"}
    assert skeletons == set(given)
    if turnaround == "batch":
        above = run(api, views=asked, elevation="above")
        assert not set(pixels(api, above)) & set(pixels(api, done))
        angry = run(api, views=asked, expression="angry")
        assert pixels(api, angry)[0] != pixels(api, done)[0]


def test_every_view_follows_its_own_skeleton(api: Api) -> None:
    for view in VIEWS:
        done = run(api, f"/generate_pose?pose={view}")
        (line,) = done["inputs"]
        assert (line["role"], line["pose_type"], line["kind"]) == ("view", view, "built-in skeleton")
        receipt_matches(api, done)
        plain = run(api, f"/generate_pose?pose={view}", pose_strength=0)
        assert plain["inputs"] == []
        assert pixels(api, plain) != pixels(api, done)


def test_a_flat_pose_decides_the_front_of_a_sheet(api: Api) -> None:
    with open("docs/images/pose.png", "rb") as file:  # noqa: PTH123 - an upload's bytes
        pose = api.upload(file.read())
    without, done = run(api, consistency=0), run(api, consistency=0, pose_file_id=pose["file_id"])
    assert pixels(api, done)[0] != pixels(api, without)[0]
    assert pixels(api, done)[1:] == pixels(api, without)[1:]
    (line,) = [line for line in done["inputs"] if line["role"] == "pose"]
    assert (line["pose_type"], line["kind"], line["file_id"]) == ("front", "skeleton", pose["file_id"])
    (warning,) = done["warnings"]
    assert "front" in warning
    receipt_matches(api, done)


def test_a_pose_in_json_decides_the_front_and_the_back(api: Api) -> None:
    pose = api.upload(POSE_JSON, filename="pose.json")
    without, done = run(api, consistency=0), run(api, consistency=0, pose_file_id=pose["file_id"])
    changed = [a != b for a, b in zip(pixels(api, done), pixels(api, without), strict=True)]
    assert changed == [True, True, False, False]
    lines = [line for line in done["inputs"] if line["role"] == "pose"]
    assert [(line["pose_type"], line["kind"]) for line in lines] == [("front", "json"), ("back", "json")]
    assert lines[0]["content_hash"] == hashlib.sha256(POSE_JSON).hexdigest()
    receipt_matches(api, done)


def test_a_reroll_makes_one_view_anew_and_keeps_the_bytes_of_the_others(api: Api) -> None:
    done = run(api)
    before = contents(api, done)
    answer = api.post(f"/generations/{done['generation_id']}/reroll", params={"pose": "back", "seed": 5})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["reroll"]) == ("queued", "back")
    assert len(answer.json()["output_files"]) == 4
    again = api.wait(done["generation_id"])
    assert (again["status"], again["reroll"], again["warnings"]) == ("completed", None, [])
    after = contents(api, again)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True, True]
    assert [output["seed"] for output in again["output_files"]] == [11, 5, 11, 11]
    receipt_matches(api, again)
    looks_at = [line for line in again["inputs"] if line["role"] == "anchor" and line["pose_type"] == "back"]
    assert looks_at[0]["comfyui_prompt_id"] == again["comfyui_prompt_id"] != done["comfyui_prompt_id"]
    # The same seed gives the same picture again, another seed another. The second one waits for the first.
    path = f"/generations/{done['generation_id']}"
    for seed in (5, 6):
        assert api.post(f"{path}/reroll", params={"pose": "back", "seed": seed}).status_code == 200
    ended = api.until(done["generation_id"], lambda now: now["output_files"][1]["takes"] == 4)
    listed = api.get(f"{path}/views/back/takes").json()["takes"]
    assert [(take["take"], take["current"], take["seed"]) for take in listed] == [
        (1, False, 11),
        (2, False, 5),
        (3, False, 5),
        (4, True, 6),
    ]
    shown = [api.root(take["url"]).content for take in listed]
    assert shown[:2] == [before[1], after[1]]
    decoded = [Image.open(io.BytesIO(content)).tobytes() for content in shown]
    assert decoded[1] == decoded[2] != decoded[3]
    # Every take is a file that stays, and the first one is chosen with its seed and its part of the receipt.
    chosen = api.post(f"{path}/views/back/takes/1/choose").json()
    assert contents(api, chosen) == before
    assert [output["seed"] for output in chosen["output_files"]] == [11] * 4
    receipt_matches(api, chosen)
    assert ended["warnings"] == []


@pytest.fixture(scope="module")
def remembering(module_factory: Callable[..., ComfyServer]) -> ComfyServer:
    """A ComfyUI with a cache of many prompts, which a test may kill and restart."""
    return module_factory(args=("--cache-lru", "100"))


def test_a_reroll_that_comfyui_remembers_is_written_again(remembering: ComfyServer) -> None:
    """With a cache of many prompts, the nodes of an earlier re-roll are not run again by themselves."""
    api = Api(remembering.url)
    done = run(api, "/generate_pose?pose=front")
    seen = []
    for seed in (5, 6, 5):
        api.post(f"/generations/{done['generation_id']}/reroll", params={"pose": "front", "seed": seed})
        seen.append(pixels(api, api.wait(done["generation_id"])))
    assert seen[0] == seen[2] != seen[1]


def test_rerolls_that_cannot_be(api: Api) -> None:
    done = run(api, "/generate_pose?pose=front")
    path = f"/generations/{done['generation_id']}/reroll"
    for query, status, place in (
        ({"pose": "back"}, 422, ["query", "pose"]),
        ({"pose": "top"}, 422, ["query", "pose"]),
        ({}, 422, ["query", "pose"]),
        ({"pose": "front", "seed": -1}, 422, ["query", "seed"]),
    ):
        answer = api.post(path, params=query)
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (status, place)
    assert api.post("/generations/nope/reroll", params={"pose": "front"}).status_code == 404
    running = api.generate(steps=40, width=128, height=128)
    busy = api.post(f"/generations/{running['generation_id']}/reroll", params={"pose": "front"})
    assert busy.status_code == 409
    assert "completed" in busy.json()["detail"]
    api.delete(f"/generations/{running['generation_id']}")


def test_a_reroll_that_fails_keeps_the_picture_that_was_there(api: Api, comfy: ComfyServer) -> None:
    done = run(api)
    before = contents(api, done)
    blocker = api.generate(steps=60, width=256, height=256)
    api.post(f"/generations/{done['generation_id']}/reroll", params={"pose": "side"})
    api.request("POST", api.server + "/queue", json={"clear": True})
    kept = api.wait(done["generation_id"])
    api.delete(f"/generations/{blocker['generation_id']}")
    assert (kept["status"], kept["reroll"]) == ("completed", None)
    assert "re-roll of side failed" in kept["warnings"][-1]
    assert contents(api, kept) == before
    assert kept["output_files"] == done["output_files"]


def test_pictures_appear_as_soon_as_they_are_saved(api: Api) -> None:
    generation = api.generate(SHEET, width=128, height=192, steps=1)
    first = api.until(generation["generation_id"], lambda now: bool(now["output_files"]))
    assert first["status"] == "processing"
    assert len(first["output_files"]) < 4
    assert api.root(first["output_files"][0]["url"]).status_code == 200
    assert len(api.wait(generation["generation_id"])["output_files"]) == 4


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        ("/generate/avatar", {"consistency": 0.5}, "consistency"),
        ("/generate_pose?pose=back", {"turnaround": "batch"}, "turnaround"),
        (SHEET, {"consistency": 1.1}, "consistency"),
        (SHEET, {"turnaround": "spin"}, "turnaround"),
        (SHEET, {"pose_mode": "skeleton"}, "pose_mode"),
    ],
)
def test_what_would_be_ignored_is_refused(api: Api, route: str, body: dict[str, Any], field: str) -> None:
    answer = api.post(route, json={"prompt": "x", **body})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]


def test_a_graph_queued_by_hand_becomes_a_generation_of_its_own(api: Api) -> None:
    done = run(api)
    before = contents(api, done)
    prompt = ran(api, done["comfyui_prompt_id"])
    for node in prompt.values():
        if node["class_type"] == "KSampler":
            node["inputs"]["seed"] = 99
    answer = api.request("POST", api.server + "/prompt", json={"prompt": prompt}).json()
    by_hand = answer["prompt_id"]
    deadline = time.monotonic() + 60
    while by_hand not in api.root("/history").json():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    recorded = api.get(f"/generations/{by_hand}").json()
    assert (recorded["kind"], recorded["status"], recorded["parameters"]) == ("graph", "completed", None)
    assert len(recorded["output_files"]) == 4
    assert contents(api, api.get(f"/generations/{done['generation_id']}").json()) == before
    refused = api.post(f"/generations/{by_hand}/reroll", params={"pose": "front"})
    assert refused.status_code == 409
    listed = api.get("/generations", params={"limit": 1}).json()["generations"][0]
    assert listed == recorded
    assert api.delete(f"/generations/{by_hand}").status_code == 200


@pytest.mark.skipif(__import__("os").name == "nt", reason="a process is killed as POSIX does it")
def test_pixels_and_rerolls_survive_a_restart(remembering: ComfyServer) -> None:
    server = remembering
    api = Api(server.url)
    done = run(api)
    before = contents(api, done)
    blocker = api.generate(steps=60, width=256, height=256)
    api.post(f"/generations/{done['generation_id']}/reroll", params={"pose": "quarter", "seed": 3})
    server.kill()
    server.restart()
    api = Api(server.url)
    api.delete(f"/generations/{blocker['generation_id']}")
    again = api.wait(done["generation_id"])
    assert again["warnings"] == []
    assert [a == b for a, b in zip(before, contents(api, again), strict=True)] == [True, True, True, False]
    assert pixels(api, run(api))[:3] == pixels(api, done)[:3]


def test_sdxl_is_steered_too(comfy_factory: Callable[..., ComfyServer]) -> None:
    server = comfy_factory(models=("sdxl", "sdxl-openpose"))
    api = Api(server.url)
    reference = api.upload(fresh(), "reference")["file_id"]
    plain = run(api)
    assert plain["warnings"] == []
    receipt_matches(api, plain)
    assert pixels(api, run(api)) == pixels(api, plain)
    off = run(api, consistency=0)
    assert pixels(api, off)[0] == pixels(api, plain)[0]
    assert not set(pixels(api, off)[1:]) & set(pixels(api, plain)[1:])
    steered = run(api, reference_file_id=reference)
    assert not set(pixels(api, steered)) & set(pixels(api, plain))
    unsteered = run(api, reference_file_id=reference, reference_strength=0)
    assert pixels(api, unsteered) == pixels(api, plain)
