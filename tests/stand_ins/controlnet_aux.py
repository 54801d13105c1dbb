"""A stand-in for comfyui_controlnet_aux, for tests: the node that AvatarForge asks for, with its inputs.

The real DWPose needs models that a closed machine cannot fetch. This one finds nobody in a black picture,
and in any other a line figure whose foot depends on the first pixel; it proves the machinery around it,
never that a pose is read.
"""

from __future__ import annotations

import logging
from typing import Any

import torch

SWITCH = (["enable", "disable"],)
FIGURE = (
    ((0.2, 0.5), (0.5, 0.5), (1.0, 0.0, 0.0)),
    ((0.2, 0.3), (0.2, 0.7), (1.0, 1.0, 0.0)),
    ((0.5, 0.4), (0.9, 0.4), (0.0, 1.0, 0.0)),
    ((0.5, 0.6), (0.9, 0.6), (0.0, 0.5, 1.0)),
)
#: Neck, right shoulder and right elbow, the elbow with a score too low to draw.
KEYPOINTS = {
    "canvas_width": 200,
    "canvas_height": 400,
    "people": [
        {"pose_keypoints_2d": [0.0] * 3 + [100, 100, 0.9, 60, 100, 0.8, 40, 200, 0.1] + [0.0] * 42},
    ],
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

    def estimate_pose(
        self, image: torch.Tensor, resolution: int = 512, scale_stick_for_xinsr_cn: str = "disable", **_: Any
    ) -> tuple[torch.Tensor, list[Any]]:
        logging.info("STAND-IN DWPreprocessor reads a pose")
        scale = resolution / min(image.shape[1:3])
        height, width = round(image.shape[1] * scale), round(image.shape[2] * scale)
        drawn = torch.zeros(image.shape[0], height, width, 3)
        if image.any():
            thick = 8 if scale_stick_for_xinsr_cn == "enable" else 4
            foot = ((0.9, 0.6), (0.9, 0.65 + 0.3 * float(image[0, 0, 0].mean())), (0.0, 0.0, 1.0))
            for (top, left), (bottom, right), colour in (*FIGURE, foot):
                rows = slice(int(top * height), max(int(bottom * height), int(top * height) + thick))
                columns = slice(int(left * width), max(int(right * width), int(left * width) + thick))
                # Not a whole number of 256 levels: what is kept has to be what is applied.
                drawn[:, rows, columns] = torch.tensor(colour) * 0.999
        return drawn, [KEYPOINTS]


NODE_CLASS_MAPPINGS = {"DWPreprocessor": DWPreprocessor}
