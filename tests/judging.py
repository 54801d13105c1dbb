"""Scores as a judge would give them, for tests of what follows from them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from services import Product

from avatarforge.forge.ports import InstalledModels, PromptEvent
from avatarforge.forge.spec.scores import MEASURES, Measure, PictureScores

GOOD: dict[str, Any] = {"pose": 1.0, "view": "right", "palette": 90.0, "identity": 80.0, "clean": True}
BAD: dict[str, Any] = {"pose": 0.2, "view": "wrong", "palette": 10.0, "identity": 5.0, "clean": True}


def scores(prompt_id: str = "", **values: Any) -> PictureScores:
    """Scores with these values; what is not named was not measured."""
    measures: dict[str, Measure] = {
        name: Measure(values[name], "a stand-in", "model.safetensors")
        if values.get(name) is not None
        else Measure(reason="Nothing was there.")
        for name in MEASURES
    }
    return PictureScores(measures, prompt_id)


def with_judge(installed: InstalledModels) -> InstalledModels:
    """What is installed, and also what reads keypoints and compares pictures."""
    return replace(
        installed, nodes=installed.nodes | {"DWPreprocessor"}, clip_visions=("dinov2_large.safetensors",)
    )


async def judge(forge: Product, prompt_id: str, **by_position: dict[str, Any]) -> None:
    """Write the scores that the judges of a running prompt would write: `p0` is the first picture."""
    for node in forge.host.prompts[prompt_id].values():
        if node["class_type"] == "AvatarForgeJudgePicture":
            position = node["inputs"]["position"] - 1
            values = by_position.get(f"p{position}", GOOD)
            write = partial(
                forge.recorder.judged,
                node["inputs"]["generation_id"],
                position,
                prompt_id,
                scores(prompt_id, **values),
            )
            await asyncio.to_thread(write)


async def run(forge: Product, prompt_id: str, **by_position: dict[str, Any]) -> None:
    """Run a prompt as ComfyUI would: pictures, then their judges."""
    host = forge.host
    host.start(prompt_id)
    host.save(prompt_id)
    await judge(forge, prompt_id, **by_position)
    host.end(PromptEvent("succeeded", prompt_id))


async def next_prompt(forge: Product) -> str:
    """The prompt that is next in ComfyUI's queue."""
    while not forge.host.queued:
        await forge.database.read(lambda connection: None)  # each read lets other tasks run
    return forge.host.queued[0]
