"""Which file to download for what is missing: its name, folder, size, and the publisher's page.

Names, folders and pages are those of the `models` entries in ComfyUI's own workflow templates (package
comfyui_workflow_templates 0.11); the exceptions are the files of SD1.5 and SDXL and Flux.1's ControlNet, from
their publishers' pages. Sizes are rounded, from those pages and from the totals that the templates give; None
where neither says one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: What a family can lack besides its text encoders and VAE, which are named by their kind.
Part = Literal["model", "pose", "style", "clip_vision", "lightning", "turbo", "views"]


@dataclass(frozen=True)
class Download:
    """A file to download. `folder` is the one under ComfyUI's `models`. `size` is in gigabytes (10^9 bytes),
    rounded. `page` is the publisher's, where the file and its licence are, and `path` the file's in there."""

    name: str
    folder: str
    size: float | None
    page: str
    path: str

    @property
    def place(self) -> str:
        """The path under ComfyUI's folder, for people."""
        return f"models/{self.folder}/{self.name}"

    @property
    def url(self) -> str:
        """The address of the file itself."""
        return f"{self.page}/resolve/main/{self.path}"

    @property
    def entry(self) -> dict[str, str]:
        """What ComfyUI's editor reads from `properties.models` of a node, to offer a missing file."""
        return {"name": self.name, "url": self.url, "directory": self.folder}


def download_for(family: str | None, part: str, variant: str | None = None) -> Download | None:
    """The file that a family needs: `part` is a `Part`, or the kind of a text encoder or VAE, for which the
    family does not matter. None if no such file is known. A variant without a file of its own has the one of
    the first variant."""
    shared = _SHARED.get(part)
    if shared is not None:
        return shared
    if family is None:
        return None
    return _OF_FAMILY.get((family, part, variant)) or _OF_FAMILY.get((family, part, None))


def all_downloads() -> tuple[Download, ...]:
    """Every file of the catalogue."""
    return (*_SHARED.values(), *_OF_FAMILY.values(), SDPOSE)


def _page(repository: str) -> str:
    return f"https://huggingface.co/{repository}"


def _file(name: str, folder: str, size: float | None, repository: str, path: str = "") -> Download:
    """A .safetensors file. `path` is its folder in the repository, with a slash at its end."""
    name = f"{name}.safetensors"
    return Download(name, folder, size, _page(repository), f"{path}{name}")


def _split_file(name: str, folder: str, size: float | None, repository: str) -> Download:
    """A file of a repository that has ComfyUI's folders in `split_files`."""
    return _file(name, folder, size, repository, f"split_files/{folder}/")


#: Reads poses from photos.
SDPOSE = _file("sdpose_wholebody_fp16", "checkpoints", None, "Comfy-Org/SDPose", "checkpoints/")

_ENCODERS, _VAE, _MODELS = "text_encoders", "vae", "diffusion_models"
_SHARED: Mapping[str, Download] = {
    "clip_l": _file("clip_l", _ENCODERS, 0.2, "comfyanonymous/flux_text_encoders"),
    "t5xxl": _file("t5xxl_fp8_e4m3fn_scaled", _ENCODERS, 5.2, "comfyanonymous/flux_text_encoders"),
    "qwen3_06b": _split_file("qwen_3_06b_base", _ENCODERS, 1.2, "circlestone-labs/Anima"),
    "qwen3_4b": _split_file("qwen_3_4b", _ENCODERS, 8.0, "Comfy-Org/z_image_turbo"),
    "qwen3_8b": _split_file("qwen_3_8b_fp8mixed", _ENCODERS, None, "Comfy-Org/flux2-klein-9B"),
    "mistral_24b": _split_file("mistral_3_small_flux2_fp8", _ENCODERS, 18.0, "Comfy-Org/flux2-dev"),
    "qwen25_vl_7b": _split_file("qwen_2.5_vl_7b_fp8_scaled", _ENCODERS, 9.4, "Comfy-Org/Qwen-Image_ComfyUI"),
    "qwen3_vl_4b": _file("qwen3vl_4b_fp8_scaled", _ENCODERS, 5.3, "Comfy-Org/Krea-2", "text_encoders/"),
    "flux": _split_file("ae", _VAE, 0.3, "Comfy-Org/z_image_turbo"),
    "flux2": _split_file("flux2-vae", _VAE, 0.3, "Comfy-Org/flux2-dev"),
    "wan": _split_file("qwen_image_vae", _VAE, 0.3, "Comfy-Org/Qwen-Image_ComfyUI"),
    "sd": _file("vae-ft-mse-840000-ema-pruned", _VAE, 0.3, "stabilityai/sd-vae-ft-mse-original"),
}

_QWEN, _QWEN_EDIT = "Comfy-Org/Qwen-Image_ComfyUI", "Comfy-Org/Qwen-Image-Edit_ComfyUI"
_KLEIN_4B, _KLEIN_9B = "Comfy-Org/flux2-klein", "black-forest-labs/FLUX.2-klein-9b-fp8"
_INSTANTX = "Comfy-Org/Qwen-Image-InstantX-ControlNets"
#: (family, part, variant) -> file; the variant is None for the first one, and for all.
_OF_FAMILY: Mapping[tuple[str, str, str | None], Download] = {
    ("sd15", "model", None): _file(
        "v1-5-pruned-emaonly-fp16", "checkpoints", 2.1, "Comfy-Org/stable-diffusion-v1-5-archive"
    ),
    ("sd15", "pose", None): _file(
        "control_v11p_sd15_openpose_fp16",
        "controlnet",
        0.7,
        "comfyanonymous/ControlNet-v1-1_fp16_safetensors",
    ),
    ("sdxl", "model", None): _file(
        "sd_xl_base_1.0", "checkpoints", 6.9, "stabilityai/stable-diffusion-xl-base-1.0"
    ),
    ("sdxl", "pose", None): _file("OpenPoseXL2", "controlnet", 5.0, "thibaud/controlnet-openpose-sdxl-1.0"),
    ("sdxl", "lightning", None): _file("sdxl_lightning_8step_lora", "loras", 0.4, "ByteDance/SDXL-Lightning"),
    ("flux", "model", None): _file("flux1-dev-fp8", "checkpoints", 17.2, "Comfy-Org/flux1-dev"),
    ("flux", "model", "schnell"): _file("flux1-schnell-fp8", "checkpoints", 17.2, "Comfy-Org/flux1-schnell"),
    ("flux", "model", "krea"): _split_file(
        "flux1-krea-dev_fp8_scaled", _MODELS, 11.9, "Comfy-Org/FLUX.1-Krea-dev_ComfyUI"
    ),
    ("flux", "model", "kontext"): _split_file(
        "flux1-dev-kontext_fp8_scaled", _MODELS, 11.9, "Comfy-Org/flux1-kontext-dev_ComfyUI"
    ),
    ("flux", "pose", None): _file(
        "diffusion_pytorch_model", "controlnet", 6.6, "Shakker-Labs/FLUX.1-dev-ControlNet-Union-Pro"
    ),
    ("flux", "style", None): _file("flux1-redux-dev", "style_models", None, "Comfy-Org/Flux1-Redux-Dev"),
    ("flux", "clip_vision", None): _file(
        "sigclip_vision_patch14_384", "clip_vision", 0.9, "Comfy-Org/sigclip_vision_384"
    ),
    ("flux2", "model", None): _split_file("flux-2-klein-4b", _MODELS, 7.8, _KLEIN_4B),
    ("flux2", "model", "klein_base_4b"): _split_file("flux-2-klein-base-4b", _MODELS, 7.8, _KLEIN_4B),
    ("flux2", "model", "klein_9b"): _file("flux-2-klein-9b-fp8", _MODELS, None, _KLEIN_9B),
    ("flux2", "model", "klein_base_9b"): _file(
        "flux-2-klein-base-9b-fp8", _MODELS, None, "black-forest-labs/FLUX.2-klein-base-9b-fp8"
    ),
    ("flux2", "model", "dev"): _split_file("flux2_dev_fp8mixed", _MODELS, 35.5, "Comfy-Org/flux2-dev"),
    ("qwen_image", "model", None): _split_file("qwen_image_fp8_e4m3fn", _MODELS, 20.4, _QWEN),
    ("qwen_image", "model", "2512"): _split_file("qwen_image_2512_fp8_e4m3fn", _MODELS, 20.4, _QWEN),
    ("qwen_image", "pose", None): _split_file(
        "Qwen-Image-InstantX-ControlNet-Union", "controlnet", 3.5, _INSTANTX
    ),
    ("qwen_image", "pose", "2512"): _file(
        "Qwen-Image-2512-Fun-Controlnet-Union-2602",
        "controlnet",
        None,
        "alibaba-pai/Qwen-Image-2512-Fun-Controlnet-Union",
    ),
    ("qwen_image", "lightning", None): _file(
        "Qwen-Image-Lightning-8steps-V1.0", "loras", 1.7, "lightx2v/Qwen-Image-Lightning"
    ),
    ("qwen_image", "lightning", "2512"): _file(
        "Qwen-Image-2512-Lightning-4steps-V1.0-fp32", "loras", None, "lightx2v/Qwen-Image-2512-Lightning"
    ),
    ("qwen_edit", "model", None): _split_file("qwen_image_edit_2509_fp8_e4m3fn", _MODELS, 20.4, _QWEN_EDIT),
    ("qwen_edit", "model", "2511"): _split_file("qwen_image_edit_2511_fp8mixed", _MODELS, 20.5, _QWEN_EDIT),
    ("qwen_edit", "lightning", None): _file(
        "Qwen-Image-Edit-2509-Lightning-4steps-V1.0-bf16",
        "loras",
        0.8,
        "lightx2v/Qwen-Image-Lightning",
        "Qwen-Image-Edit-2509/",
    ),
    ("qwen_edit", "lightning", "2511"): _file(
        "Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16",
        "loras",
        0.8,
        "lightx2v/Qwen-Image-Edit-2511-Lightning",
    ),
    ("qwen_edit", "views", None): _split_file("Qwen-Edit-2509-Multiple-angles", "loras", None, _QWEN_EDIT),
    ("qwen_edit", "views", "2511"): _file(
        "qwen-image-edit-2511-multiple-angles-lora",
        "loras",
        None,
        "fal/Qwen-Image-Edit-2511-Multiple-Angles-LoRA",
    ),
    ("z_image", "model", None): _split_file("z_image_turbo_bf16", _MODELS, 12.3, "Comfy-Org/z_image_turbo"),
    ("z_image", "model", "base"): _split_file("z_image_bf16", _MODELS, 12.3, "Comfy-Org/z_image"),
    ("z_image", "pose", None): _file(
        "Z-Image-Turbo-Fun-Controlnet-Union",
        "model_patches",
        3.0,
        "alibaba-pai/Z-Image-Turbo-Fun-Controlnet-Union",
    ),
    ("anima", "model", None): _split_file("anima-base-v1.0", _MODELS, 4.2, "circlestone-labs/Anima"),
    ("anima", "turbo", None): _file(
        "anima-turbo-lora-v0.2", "loras", None, "circlestone-labs/Anima-Official-LoRAs"
    ),
    ("krea2", "model", None): _file(
        "krea2_turbo_fp8_scaled", _MODELS, 13.6, "Comfy-Org/Krea-2", "diffusion_models/"
    ),
    ("chroma", "model", None): _split_file(
        "Chroma1-HD-fp8mixed", _MODELS, None, "Comfy-Org/Chroma1-HD_repackaged"
    ),
}
