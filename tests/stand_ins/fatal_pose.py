"""A stand-in for a broken pack, for tests: its node ends ComfyUI, or the thread that runs prompts.

It takes the place of the node that AvatarForge has read a photo's pose, so that a request reaches it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

#: "process" ends ComfyUI as a crash in a driver does, "thread" what a node's sys.exit() ends.
ENDS = "STAND_IN_ENDS"


class DWPreprocessor:
    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {"image": ("IMAGE",)}, "optional": {"resolution": ("INT", {"default": 512})}}

    RETURN_TYPES = ("IMAGE", "POSE_KEYPOINT")
    FUNCTION = "estimate_pose"
    CATEGORY = "stand-ins"

    def estimate_pose(self, **_: Any) -> None:
        if os.environ[ENDS] == "process":
            os._exit(1)
        sys.exit(1)


NODE_CLASS_MAPPINGS = {"DWPreprocessor": DWPreprocessor}
