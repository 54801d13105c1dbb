"""T2I adapters and Control-LoRAs on a real ComfyUI: where there is no ControlNet, they hold the pose."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from lab import synthetic
from lab.api import Api
from lab.host import ComfyUI
from lab.server import ComfyServer

Factory = Callable[..., ComfyServer]
ADAPTERS = ("sd15-control-lora-openpose", "sd15-t2i-openpose")  # in the order of preference


def pose(shift: int) -> bytes:
    points = [(256, 110), (256, 170), (210, 175), (180, 250), (120, 200), (302, 175), (330, 250), (335, 330)]
    points += [(225, 360), (220, 500), (215, 650), (287, 360), (292, 500), (297, 650)]
    numbers = [number for x, y in points for number in (x + shift, y, 1.0)] + [0.0] * 12
    people = [{"pose_keypoints_2d": numbers}]
    return json.dumps({"canvas_width": 512, "canvas_height": 768, "people": people}).encode()


@pytest.fixture(scope="module")
def adapters(comfyui: ComfyUI, module_factory: Factory) -> ComfyServer:
    server = module_factory(models=synthetic.models(comfyui, ("sd15-deep", *ADAPTERS)))
    # Names that mean nothing but the pose: what the files are is read from their headers.
    for number, kind in enumerate(ADAPTERS):
        path = server.base / "models" / synthetic.model_name(kind)
        (path.parent / "sub").mkdir(exist_ok=True)
        path.rename(path.parent / "sub" / f"openpose-{1 - number}.safetensors")
    return server


def pixels(api: Api, generation: dict[str, Any]) -> str:
    (output,) = generation["output_files"]
    with Image.open(io.BytesIO(api.root(output["url"]).content)) as image:
        return hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def draw(api: Api, pose_file_id: str, strength: float) -> dict[str, Any]:
    queued = api.generate(pose_file_id=pose_file_id, pose_strength=strength, seed=5, height=96)
    done = api.wait(queued["generation_id"])
    assert (done["status"], done["error"]) == ("completed", None)
    return done


@pytest.mark.parametrize("kind", ADAPTERS)
def test_a_pose_changes_the_pixels(adapters: ComfyServer, kind: str) -> None:
    api = Api(adapters.url)
    name = f"openpose-{1 - ADAPTERS.index(kind)}.safetensors"
    folder = adapters.base / "models" / "controlnet" / "sub"
    others = [path for path in folder.iterdir() if path.name > name]  # the better one goes away
    for path in others:
        path.rename(adapters.base / path.name)
    try:
        (checkpoint,) = api.get("/capabilities").json()["checkpoints"]
        (method,) = checkpoint["pose"]
        assert (method["works"], method["model"].replace("\\", "/")) == (True, f"sub/{name}")
        left, right = (api.upload(pose(shift), filename="a.json")["file_id"] for shift in (-80, 80))
        drawn = draw(api, left, 1.0)
        (line,) = drawn["inputs"]
        assert (line["role"], line["node_type"], line["strength"]) == ("pose", "AvatarForgeApplyPose", 1.0)
        assert line["model"] == method["model"]
        assert pixels(api, draw(api, left, 1.0)) == pixels(api, drawn)
        assert (
            len({pixels(api, drawn), pixels(api, draw(api, right, 1.0)), pixels(api, draw(api, left, 0))})
            == 3
        )
        sheet = api.wait(api.generate("/generate_all_poses", seed=5, height=96)["generation_id"])
        assert (sheet["status"], sheet["error"], len(sheet["output_files"])) == ("completed", None, 4)
    finally:
        for path in others:
            (adapters.base / path.name).rename(path)
