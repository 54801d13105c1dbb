"""A stand-in for ComfyUI_IPAdapter_plus, for tests: its node names and its folder. It does nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths

folder_paths.folder_names_and_paths["ipadapter"] = (
    [str(Path(folder_paths.models_dir) / "ipadapter")],
    folder_paths.supported_pt_extensions,
)


class IPAdapterUnifiedLoader:
    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        presets = ["STANDARD (medium strength)", "PLUS (high strength)", "PLUS FACE (portraits)"]
        return {
            "required": {"model": ("MODEL",), "preset": (presets,)},
            "optional": {"ipadapter": ("IPADAPTER",)},
        }

    RETURN_TYPES = ("MODEL", "IPADAPTER")
    FUNCTION = "load_models"
    CATEGORY = "stand-ins"

    def load_models(self, model: Any, preset: str, ipadapter: Any = None) -> tuple[Any, str]:
        return model, preset


class IPAdapterAdvanced:
    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        share = ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0})
        return {
            "required": {
                "model": ("MODEL",),
                "ipadapter": ("IPADAPTER",),
                "image": ("IMAGE",),
                "weight": ("FLOAT", {"default": 1.0, "min": -1.0, "max": 5.0}),
                "weight_type": (["linear", "ease in", "style transfer"],),
                "combine_embeds": (["concat", "add", "average"],),
                "start_at": share,
                "end_at": share,
                "embeds_scaling": (["V only", "K+V"],),
            }
        }

    RETURN_TYPES = ("MODEL",)
    FUNCTION = "apply_ipadapter"
    CATEGORY = "stand-ins"

    def apply_ipadapter(self, model: Any, **_: Any) -> tuple[Any]:
        return (model,)


class IPAdapterPreciseStyleTransfer(IPAdapterAdvanced):
    """Only its name counts: it tells newer releases."""


NODE_CLASS_MAPPINGS = {
    "IPAdapterUnifiedLoader": IPAdapterUnifiedLoader,
    "IPAdapterAdvanced": IPAdapterAdvanced,
    "IPAdapterPreciseStyleTransfer": IPAdapterPreciseStyleTransfer,
}
