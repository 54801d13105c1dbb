"""The nodes for the graph editor. `NODES` is what ComfyUI is told of."""

from __future__ import annotations

from comfy_api.latest import io

from .load import LoadPose, LoadReference
from .pose import ApplyPose
from .reference import ReferenceLatent
from .save import SaveAvatar

NODES: list[type[io.ComfyNode]] = [LoadPose, LoadReference, ApplyPose, ReferenceLatent, SaveAvatar]
