"""A stand-in for a pose extractor, for tests: the node of comfyui_controlnet_aux that judges ask.

What it finds does not depend on the picture. In ComfyUI's base folder the file WRONG holds how often it will
still find a figure that is seen from behind; after that it finds one from the front, both where the front of
the paper doll stands. The file BREAKS makes it raise. While the file HOLDS has the same number as WRONG, it
waits, which the file WAITS shows.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import folder_paths
import torch

WRONG, BREAKS, HOLDS, WAITS = "estimator-wrong", "estimator-breaks", "estimator-holds", "estimator-waits"
SWITCH = (["enable", "disable"],)
#: OpenPose's 18 keypoints, as shares of the picture's height from its middle at the bottom.
FIGURE = (
    *((0.0, 0.87), (0.0, 0.77), (-0.1, 0.77), (-0.16, 0.6), (-0.2, 0.45), (0.1, 0.77), (0.16, 0.6)),
    *((0.2, 0.45), (-0.06, 0.48), (-0.07, 0.26), (-0.07, 0.06), (0.06, 0.48), (0.07, 0.26), (0.07, 0.06)),
    *((-0.02, 0.89), (0.02, 0.89), (-0.05, 0.88), (0.05, 0.88)),
)
FACE = (0, 14, 15)
WIDTH, HEIGHT = 400, 600


def figure(*, behind: bool) -> dict[str, Any]:
    numbers: list[float] = []
    for number, (x, y) in enumerate(FIGURE):
        if behind and number in FACE:
            numbers += (0.0, 0.0, 0.0)
        else:
            numbers += (WIDTH / 2 + (-x if behind else x) * HEIGHT, (1 - y) * HEIGHT, 1.0)
    return {
        "people": [{"pose_keypoints_2d": numbers}],
        "canvas_width": WIDTH,
        "canvas_height": HEIGHT,
    }


class DWPreprocessor:
    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"image": ("IMAGE",)},
            "optional": {
                "detect_hand": SWITCH,
                "detect_body": SWITCH,
                "detect_face": SWITCH,
                "resolution": ("INT", {"default": 512, "min": 64, "max": 16384, "step": 64}),
                "bbox_detector": (["None", "yolox_l.torchscript.pt", "yolox_l.onnx"],),
                "pose_estimator": (["dw-ll_ucoco_384_bs5.torchscript.pt", "dw-ll_ucoco_384.onnx"],),
                "scale_stick_for_xinsr_cn": (["disable", "enable"],),
            },
        }

    RETURN_TYPES = ("IMAGE", "POSE_KEYPOINT")
    FUNCTION = "estimate_pose"
    CATEGORY = "stand-ins"

    def estimate_pose(self, image: torch.Tensor, **_: Any) -> tuple[torch.Tensor, list[Any]]:
        base = Path(folder_paths.base_path)
        if base.joinpath(BREAKS).exists():
            raise RuntimeError("the estimator is broken")
        left = base / WRONG
        number = int(left.read_text(encoding="utf-8")) if left.exists() else 0
        holds = base / HOLDS
        while holds.exists() and holds.read_text(encoding="utf-8") == str(number):
            base.joinpath(WAITS).touch()
            time.sleep(0.01)
        if number:
            left.write_text(str(number - 1), encoding="utf-8")
        return torch.zeros_like(image), [figure(behind=number > 0)]


NODE_CLASS_MAPPINGS = {"DWPreprocessor": DWPreprocessor}
