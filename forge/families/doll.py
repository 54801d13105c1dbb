"""Paper doll: characters that are drawn, without any model. It is used only when a request asks for it."""

from __future__ import annotations

from .family import Family, LatentShape, ReferenceLimits, Sampling
from .prompt_text import QualityWords

DOLL = Family(
    name="doll",
    label="Paper doll (drawn, no model)",
    comfy_classes=(),
    # The steps are its passes: sketch, flats, shade, line.
    sampling=Sampling(512, 768, steps=4, cfg=None, sampler=None, scheduler=None),
    words=QualityWords(("", ""), ("", "")),
    latent=LatentShape(3),
    parts=None,
    graph=None,
    pose=("keypoints",),
    # All parts of the character, or those of its head, or what it wears.
    references={"palette": ReferenceLimits(3, ("identity", "face", "outfit"), each=1)},
    anchor="seed",
    batch=True,
    consistency=1.0,
    most_steps=4,
    model="Paper doll",
)
