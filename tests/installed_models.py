"""A list of installed models with everything that each family can use."""

from __future__ import annotations

import uuid

from avatarforge.db.records import FileRecord
from avatarforge.forge.families import ENCODER_KINDS, MODEL_FAMILIES, VAE_KINDS
from avatarforge.forge.ports import OPTIONAL_NODES, InstalledModels, ModelFile, PartFile


def everything() -> InstalledModels:
    """One model of each family, `NAME.safetensors`, its LoRA `NAME-lora.safetensors`, its pose models, and
    every text encoder and VAE."""
    families = MODEL_FAMILIES.values()
    return InstalledModels(
        checkpoints=tuple(_model(row.name) for row in families if row.parts is None),
        controlnets=tuple(
            ModelFile(f"{row.name}-openpose.safetensors", row.name, folder="controlnet")
            for row in families
            if "controlnet" in row.pose
        ),
        samplers=("euler", "er_sde", "lcm"),
        schedulers=("normal", "simple"),
        nodes=OPTIONAL_NODES,
        diffusion_models=tuple(
            _model(row.name, "diffusion_models") for row in families if row.parts is not None
        ),
        text_encoders=tuple(PartFile(f"{kind}.safetensors", kind, "text_encoders") for kind in ENCODER_KINDS),
        vaes=tuple(PartFile(f"{kind}-vae.safetensors", kind, "vae") for kind in VAE_KINDS),
        loras=tuple(ModelFile(f"{row.name}-lora.safetensors", row.name, folder="loras") for row in families),
        model_patches=tuple(
            ModelFile(f"{row.name}-pose-patch.safetensors", row.name, folder="model_patches")
            for row in families
            if "patch" in row.pose
        ),
        style_models=("flux1-redux-dev.safetensors",),
        clip_visions=("sigclip_vision_patch14_384.safetensors",),
    )


def file_record(name: str) -> FileRecord:
    """The row of an uploaded picture."""
    id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    return FileRecord(id_, "ab" * 32, f"{name}.png", 7, "image/png", "png", 512, 768, 1, 1, None)


def _model(family: str, folder: str = "checkpoints") -> ModelFile:
    return ModelFile(f"{family}.safetensors", family, folder=folder)
