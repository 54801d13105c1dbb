"""A basic spec, of which tests change single fields."""

from __future__ import annotations

from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.pose import PoseFile, PosePlan, PoseUse
from avatarforge.forge.spec.reference import ReferenceUse

SKELETON = PoseUse(
    PoseFile("00000000-0000-4000-8000-000000000001", "aa" * 32, 512, 768, "skeleton"),
    PosePlan("skeleton", "skeleton"),
    "auto",
    1.0,
)
KEYPOINTS = PoseUse(
    PoseFile("00000000-0000-4000-8000-000000000003", "cc" * 32, 512, 768, "json"),
    PosePlan("json", "json"),
    "auto",
    1.0,
)
REFERENCE = ReferenceUse("00000000-0000-4000-8000-000000000002", "bb" * 32, 0.5, "attention")
#: A built-in pose of the library.
BUILT_IN = PoseUse(
    PoseFile(None, "dd" * 32, 400, 768, "library"),
    PosePlan("library", "library"),
    "auto",
    1.0,
    "00000000-0000-4000-8000-00000000000a",
    "sitting",
    True,
)


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
        controlnet=None,
        controlnet_is_union=False,
        bones="standard",
        skeleton_strength=1.0,
        consistency=0.7,
        turnaround="batch",
    )
