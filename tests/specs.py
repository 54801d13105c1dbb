"""A plain spec that tests change one field of."""

from __future__ import annotations

from avatarforge.forge.generations.spec import AvatarSpec, ImageUse

POSE = ImageUse("00000000-0000-4000-8000-000000000001", "aa" * 32, 1.0)
REFERENCE = ImageUse("00000000-0000-4000-8000-000000000002", "bb" * 32, 0.5)


def spec() -> AvatarSpec:
    return AvatarSpec(
        prompt="a knight",
        clothing=None,
        style=None,
        realism=False,
        negative_prompt=None,
        views=("front",),
        pose=None,
        reference=None,
        width=512,
        height=768,
        steps=20,
        cfg=7.0,
        sampler="euler",
        scheduler="normal",
        seed=42,
        checkpoint="anime.safetensors",
        family="sd15",
        controlnet="openpose.safetensors",
    )
