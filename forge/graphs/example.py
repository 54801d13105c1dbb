"""The graph of a family for a plain request: a starting point for a graph of one's own."""

from __future__ import annotations

from ..errors import UnavailableError
from ..families import FAMILIES
from ..ports import InstalledModels, Prompt
from ..settings import Settings
from ..spec.avatar import AvatarSpec
from .capabilities import bones_for, missing_checkpoint, needs_union_type, pose_controlnet
from .compile import compile_prompt


def example_prompt(family_name: str, installed: InstalledModels, settings: Settings) -> Prompt:
    """One front view, with the family's installed models and defaults. Raises UnavailableError if none of
    its models is installed, KeyError for an unknown family."""
    family = FAMILIES[family_name]
    model = next(
        (model for model in installed.models if model.family == family_name and not model.problem), None
    )
    if model is None:
        raise UnavailableError(
            missing_checkpoint(installed),
            code="checkpoint_missing",
            parameters={"families": family.label},
        )
    method = pose_controlnet(installed, settings, family_name)
    controlnet = next((item for item in installed.controlnets if item.name == method.model), None)
    spec = AvatarSpec(
        prompt="a knight",
        clothing=None,
        style=None,
        realism=False,
        negative_prompt=None,
        views=("front",),
        pose=None,
        reference=None,
        width=family.width,
        height=family.height,
        steps=family.steps,
        cfg=family.cfg,
        sampler=family.sampler,
        scheduler=family.scheduler,
        seed=0,
        checkpoint=model.name,
        family=family_name,
        controlnet=controlnet.name if controlnet else None,
        controlnet_is_union=controlnet is not None and needs_union_type(controlnet),
        bones=bones_for(controlnet) if controlnet else "standard",
        skeleton_strength=1.0 if controlnet else 0.0,
        consistency=0.0,
    )
    return compile_prompt(spec, "").prompt
