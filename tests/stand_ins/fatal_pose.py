"""A stand-in for a broken pack, for tests: its node ends ComfyUI, or the thread that runs prompts.

It takes the place of the node that AvatarForge has read a photo's pose, so that a request reaches it. A red
photo makes the node raise without a message, a green one with a path in it. While the file REFUSES lies in
ComfyUI's base folder, the queue takes nothing, as that of a newer ComfyUI can.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import execution
import folder_paths
import torch

#: "process" ends ComfyUI as a crash in a driver does, "thread" what a node's sys.exit() ends.
ENDS = "STAND_IN_ENDS"
REFUSES = "refuse-prompts"


class PackError(Exception):
    pass


class DWPreprocessor:
    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"image": ("IMAGE",)}, "optional": {"resolution": ("INT", {"default": 512})}}

    RETURN_TYPES = ("IMAGE", "POSE_KEYPOINT")
    FUNCTION = "estimate_pose"
    CATEGORY = "stand-ins"

    def estimate_pose(self, image: torch.Tensor, **_: Any) -> None:
        red, green, _blue = image[0, 0, 0].tolist()
        if (red, green) == (1, 0):
            raise PackError
        if (red, green) == (0, 1):
            raise PackError(f"cannot read {folder_paths.models_dir}/My Poses/dw pose.onnx, it is 1/2 there")
        if os.environ[ENDS] == "process":
            os._exit(1)
        sys.exit(1)


_put = execution.PromptQueue.put


def put(self: execution.PromptQueue, item: Any) -> Any:
    return False if Path(folder_paths.base_path, REFUSES).exists() else _put(self, item)


execution.PromptQueue.put = put
NODE_CLASS_MAPPINGS = {"DWPreprocessor": DWPreprocessor}
