"""The endpoint for which model to start with."""

from __future__ import annotations

from ..forge.families.guide import CHOICES
from . import responses
from .context import Call, Endpoint


async def model_guide(call: Call) -> responses.ModelGuideAnswer:
    gpu = await call.services.health.gpu()
    return responses.ModelGuideAnswer(
        gpu=responses.GuideGpu(name=gpu.name, memory=gpu.memory) if gpu else None,
        choices=[
            responses.GuideChoice(
                family=choice.family,
                label=choice.label,
                memory=choice.memory,
                fits=choice.fits(gpu.memory) if gpu else None,
                files=[
                    responses.GuideFile(
                        use=use, name=file.name, folder=file.folder, size=file.size, page=file.page
                    )
                    for use, file in choice.files
                ],
            )
            for choice in CHOICES
        ],
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        "/model_guide",
        model_guide,
        "Which model to start with, by the memory of the GPU",
        "utility",
        answer=responses.ModelGuideAnswer,
    ),
)
