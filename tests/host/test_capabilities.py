"""What works and what is missing, on a real ComfyUI: each kind of model gone in turn.

The node packs of others are stand-ins (tests/stand_ins): only their presence is asked here.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from headers import read_shapes, write_header
from pictures import picture

from lab import synthetic
from lab.api import Api
from lab.host import ComfyUI
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
CASES = Path(__file__).parents[1] / "data" / "cases"
STAND_INS = Path(__file__).parents[1] / "stand_ins"
VIT_H = "clip_vision/CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
IPADAPTERS = (
    "ipadapter/ip-adapter-plus_sd15.safetensors",
    "ipadapter/ip-adapter-plus_sdxl_vit-h.safetensors",
)
KINDS = ("sd15", "sd15-openpose", "sdxl", "sdxl-openpose")


@pytest.fixture(scope="module")
def full(comfyui: ComfyUI, module_factory: Factory, tmp_path_factory: pytest.TempPathFactory) -> ComfyServer:
    """A ComfyUI with every model and pack that AvatarForge can use."""
    whole = write_header(tmp_path_factory.mktemp("files") / "whole.safetensors", {"a": (1,)})
    shapes = read_shapes(synthetic.make(comfyui, "sd15"))
    head = {"model.diffusion_model.heatmap_head.conv_layers.0.weight": (640, 640, 1, 1)}
    sdpose = write_header(whole.with_name("sdpose.safetensors"), {**shapes, **head})
    return module_factory(
        models={
            **synthetic.models(comfyui, KINDS),
            **dict.fromkeys((*IPADAPTERS, VIT_H), whole),
            "checkpoints/sdpose.safetensors": sdpose,
        },
        nodes=[STAND_INS / "controlnet_aux.py", STAND_INS / "ipadapter_plus.py"],
    )


def test_with_all_there_the_packs_apply_the_inputs_and_nothing_warns(full: ComfyServer) -> None:
    """The stand-ins take the packs' own inputs, so that what is queued is what the packs would get."""
    api = Api(full.url)
    photo, reference = api.upload(picture(1))["file_id"], api.upload(picture(2), "reference")["file_id"]
    done = api.wait(
        api.generate(
            "/generate_pose?pose=front", family="sd15", pose_file_id=photo, reference_file_id=reference
        )["generation_id"]
    )
    assert (done["status"], done["error"], done["warnings"]) == ("completed", None, [])
    prompt = api.root(f"/history/{done['comfyui_prompt_id']}").json()[done["comfyui_prompt_id"]]["prompt"][2]
    kinds = {node["class_type"] for node in prompt.values()}
    assert {"DWPreprocessor", "AvatarForgeKeepSkeleton", "IPAdapterUnifiedLoader"} <= kinds
    assert "AvatarForgeApplyReference" not in kinds
    lines = {line["role"]: line for line in done["inputs"]}
    applied = lines["reference"]
    assert (applied["node_type"], applied["model"]) == ("IPAdapterAdvanced", Path(IPADAPTERS[0]).name)
    assert prompt[applied["node"]]["inputs"]["weight"] == applied["strength"]
    assert (lines["pose"]["kind"], lines["pose"]["file_id"]) == ("photo", photo)


@contextmanager
def without(server: ComfyServer, *names: str) -> Iterator[Api]:
    """The API while these models are away."""
    aside = server.base / "aside"
    aside.mkdir(exist_ok=True)
    for name in names:
        (server.base / "models" / name).rename(aside / Path(name).name)
    try:
        yield Api(server.url)
    finally:
        for name in names:
            (aside / Path(name).name).rename(server.base / "models" / name)


def works(methods: list[dict[str, Any]]) -> list[str]:
    return [method["name"] for method in methods if method["works"]]


def test_with_all_there_nothing_is_missing(full: ComfyServer) -> None:
    answer = Api(full.url).get("/capabilities")
    assert answer.status_code == 200
    table = answer.json()
    assert table["reasons"] == []
    found = {item["family"]: item for item in table["checkpoints"]}
    assert set(found) == {"sd15", "sdxl"}
    for family, item in found.items():
        assert item["supported"] is True
        assert item["name"] == synthetic.file_name(family)
        assert [method["model"] for method in item["pose"]] == [synthetic.file_name(f"{family}-openpose")]
        assert works(item["reference"]) == ["ipadapter", "attention"]
    assert works(table["pose_extractors"]) == ["dwpose", "sdpose"]
    assert table["pose_extractors"][1]["model"] == "sdpose.safetensors"
    assert Api(full.url).get("/health").json()["capabilities"] == {
        "families": {
            family: {"pose": ["controlnet"], "reference": ["ipadapter", "attention"]} for family in found
        },
        "pose_extractors": ["dwpose", "sdpose"],
        "missing": [],
    }


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_a_missing_pose_controlnet_is_named_by_the_table_and_by_the_refusal(
    full: ComfyServer, family: str
) -> None:
    with without(full, synthetic.model_name(f"{family}-openpose")) as api:
        (reason,) = api.get("/capabilities").json()["reasons"]
        assert "models/controlnet" in reason
        assert "'openpose'" in reason
        file_id = api.upload(picture())["file_id"]
        body = {"prompt": "x", "pose_file_id": file_id, "checkpoint": synthetic.file_name(family)}
        answer = api.post("/generate/avatar", json=body)
        assert (answer.status_code, answer.json()["detail"]) == (503, reason)
        assert api.get("/health").json()["capabilities"]["missing"] == [reason]


def test_a_missing_checkpoint_is_named_by_the_table_and_by_the_refusal(full: ComfyServer) -> None:
    with without(full, synthetic.model_name("sd15"), synthetic.model_name("sdxl")) as api:
        (reason,) = api.get("/capabilities").json()["reasons"]
        assert "models/checkpoints" in reason
        answer = api.post("/generate/avatar", json={"prompt": "x"})
        assert (answer.status_code, answer.json()["detail"]) == (503, reason)
        health = api.get("/health").json()
        assert (health["api_status"], health["reason"]) == ("degraded", reason)


@pytest.mark.parametrize(
    ("name", "family", "said"),
    [
        (IPADAPTERS[0], "sd15", "in models/ipadapter"),
        (IPADAPTERS[1], "sdxl", "in models/ipadapter"),
        (VIT_H, "sdxl", "in models/clip_vision"),
    ],
)
def test_without_an_ipadapter_file_the_reference_works_by_attention(
    full: ComfyServer, name: str, family: str, said: str
) -> None:
    with without(full, name) as api:
        table = api.get("/capabilities").json()
    (item,) = (item for item in table["checkpoints"] if item["family"] == family)
    assert works(item["reference"]) == ["attention"]
    assert said in item["reference"][0]["missing"]
    assert Path(name).name in item["reference"][0]["missing"]
    assert table["reasons"] == []


def test_without_the_sdpose_checkpoint_its_file_and_folder_are_named(full: ComfyServer) -> None:
    with without(full, "checkpoints/sdpose.safetensors") as api:
        table = api.get("/capabilities").json()
    assert works(table["pose_extractors"]) == ["dwpose"]
    assert "sdpose_wholebody_fp16.safetensors in models/checkpoints" in table["pose_extractors"][1]["missing"]
    assert table["reasons"] == []


def test_a_broken_checkpoint_is_listed_as_none_of_ours(full: ComfyServer, tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no model")
    full.add_model("checkpoints/broken.safetensors", broken)
    api = Api(full.url)
    (item,) = (
        item
        for item in api.get("/capabilities").json()["checkpoints"]
        if item["name"] == "broken.safetensors"
    )
    assert (item["supported"], item["family"], item["pose"], item["reference"]) == (False, None, [], [])
    answer = api.post("/generate/avatar", json={"prompt": "x", "checkpoint": "broken.safetensors"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "checkpoint"]
    (full.base / "models/checkpoints/broken.safetensors").unlink()


def test_without_the_packs_they_are_named(api: Api) -> None:
    table = api.get("/capabilities").json()
    assert "comfyui_controlnet_aux" in table["reasons"][-1]
    assert "models/checkpoints" in table["reasons"][-1]
    assert api.get("/health").json()["api_status"] == "healthy"
    (item,) = table["checkpoints"]
    assert works(item["pose"]) == ["controlnet"]
    assert works(item["reference"]) == ["attention"]
    assert "ComfyUI_IPAdapter_plus" in item["reference"][0]["missing"]


@pytest.mark.parametrize("wanted", ["sub/far.safetensors", "sub\\far.safetensors"])
def test_a_checkpoint_in_a_folder_is_named_either_way(
    full: ComfyServer, comfyui: ComfyUI, wanted: str
) -> None:
    full.add_model("checkpoints/sub/far.safetensors", synthetic.make(comfyui, "sd15"))
    try:
        api = Api(full.url)
        done = api.wait(api.generate(checkpoint=wanted)["generation_id"])
        assert (done["status"], done["error"]) == ("completed", None)
        own = str(Path("sub") / "far.safetensors")
        assert done["parameters"]["checkpoint"] == own
    finally:
        (full.base / "models/checkpoints/sub/far.safetensors").unlink()


def test_bad_files_are_skipped_and_everything_else_works(full: ComfyServer) -> None:
    """Every model folder gets what people have in theirs, and a request finds the good models."""
    bad = [CASES / name for name in ("zero-bytes.ckpt", "lfs-pointer.ckpt", "sign-in-page.ckpt")]
    bad.append(CASES / "controlnet-scalar-tensor.safetensors")
    folders = ("checkpoints", "controlnet", "clip_vision", "ipadapter")
    put: list[Path] = []
    try:
        for folder in folders:
            for case in bad:
                # Names that would be chosen before the good ones.
                put.append(full.base / "models" / folder / f"0-anime-openpose-{case.name}")
                shutil.copy(case, put[-1])
            if sys.platform == "linux":
                put.append(full.base / "models" / folder / "0-anime-openpose-caf\udce9.safetensors")
                shutil.copy(bad[0], put[-1])
                put.append(full.base / "models" / folder / "0-anime-openpose-pipe.safetensors")
                os.mkfifo(put[-1])
                put.append(full.base / "models" / folder / "0-anime-openpose-link.ckpt")
                put[-1].symlink_to(full.base / "gone.ckpt")
        api = Api(full.url)
        health = api.get("/health")
        assert (health.status_code, health.json()["api_status"]) == (200, "healthy")
        table = api.get("/capabilities").json()
        assert table["reasons"] == []
        said = {(item["folder"], item["name"]): item["reason"] for item in table["skipped_files"]}
        for folder in folders:
            assert said[folder, "0-anime-openpose-zero-bytes.ckpt"] == "is empty"
            assert "Git LFS pointer" in said[folder, "0-anime-openpose-lfs-pointer.ckpt"]
            assert "web page" in said[folder, "0-anime-openpose-sign-in-page.ckpt"]
            if sys.platform == "linux":
                assert "no valid text" in said[folder, "0-anime-openpose-caf\\xe9.safetensors"]
                assert "regular file" in said[folder, "0-anime-openpose-pipe.safetensors"]
                assert "link" in said[folder, "0-anime-openpose-link.ckpt"]
        assert str(full.base) not in json.dumps(table)
        photo = api.upload(picture(3))["file_id"]
        asked = {"family": "sd15", "pose_file_id": photo}
        done = api.wait(api.generate("/generate_pose?pose=front", **asked)["generation_id"])
        assert (done["status"], done["error"], done["warnings"]) == ("completed", None, [])
        assert done["parameters"]["checkpoint"] == synthetic.file_name("sd15")
        name = "0-anime-openpose-lfs-pointer.ckpt"
        answer = api.post("/generate/avatar", json={"prompt": "x", "checkpoint": name})
        assert answer.status_code == 422
        assert f"{name!r} cannot be used: it is a Git LFS pointer" in answer.json()["detail"][0]["msg"]
    finally:
        for path in put:
            path.unlink()
