"""Write synthetic model files, for ComfyUI's own interpreter.

    python -m make_models COMFYUI_ROOT [KIND OUTPUT]...

ComfyUI recognises a model by the names and shapes of its tensors. The shapes therefore come from ComfyUI's
own classes, built on the meta device; the values are seeded noise. Such a file works with the real loaders,
sampler and VAE, and its pictures are noise.
"""

from __future__ import annotations

from collections.abc import Callable

from . import checkpoints, flux, loras, text_encoders, vaes, wide
from .files import Model

#: Kind -> what the file contains, by the width of VAE decoders that this ComfyUI can read.
KINDS: dict[str, Callable[[int], Model]] = {
    "sd15": checkpoints.checkpoint_sd15,
    "sd15-openpose": checkpoints.controlnet_sd15,
    "sd15-deep": checkpoints.deep_checkpoint_sd15,
    "sd15-t2i-openpose": checkpoints.t2i_adapter_sd15,
    "sd15-control-lora-openpose": checkpoints.control_lora_sd15,
    "sdxl": checkpoints.checkpoint_sdxl,
    "sdxl-v_pred": checkpoints.checkpoint_sdxl_v_pred,
    "sdxl-openpose": checkpoints.controlnet_sdxl,
    "flux1-dev": flux.flux1_model,
    "flux1-openpose-xlabs": flux.controlnet_xlabs,
    "flux1-union": flux.controlnet_union,
    "flux-2-klein-4b": flux.flux2_klein_4b,
    "flux-2-klein-base-4b": flux.flux2_klein_base_4b,
    "flux-2-klein-9b": flux.flux2_klein_9b,
    "flux2_dev": flux.flux2_dev,
    "qwen_image": wide.qwen_image,
    "qwen_image_edit_2511": wide.qwen_image_edit_2511,
    "qwen_image-union": wide.qwen_image_union,
    "z_image_turbo": wide.z_image,
    "z_image_turbo-fun-controlnet-union": wide.z_image_fun,
    "anima": wide.anima,
    "anima-lllite-openpose": wide.anima_lllite,
    "krea2_turbo": wide.krea2,
    "vae-flux": vaes.flux_vae,
    "vae-flux2": vaes.flux2_vae,
    "vae-qwen_image": vaes.wan_vae,
    "clip_l": text_encoders.clip_l,
    "t5xxl": text_encoders.t5xxl,
    "qwen_3_06b": text_encoders.qwen3_06b,
    "qwen_3_4b": text_encoders.qwen3_4b,
    "qwen_3_8b": text_encoders.qwen3_8b,
    "mistral_3_small_flux2": text_encoders.mistral_24b,
    "qwen_2.5_vl_7b": text_encoders.qwen25_vl_7b,
    "qwen3_vl_4b": text_encoders.qwen3_vl_4b,
    "lora-sd15": loras.sd15,
    "lora-sdxl": loras.sdxl,
    "lora-flux1": loras.flux1,
    "lora-flux2": loras.flux2,
    "lora-qwen_image": loras.qwen_image,
    "lora-z_image": loras.z_image,
    "lora-anima": loras.anima,
    "lora-krea2": loras.krea2,
}
