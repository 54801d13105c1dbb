"""The models to start with: all their files are known, and their memory is plausible."""

from __future__ import annotations

import re
from typing import Any

import pytest

from avatarforge.forge.families import MODEL_FAMILIES
from avatarforge.forge.families.catalogue import all_downloads
from avatarforge.forge.families.guide import CHOICES, GuideChoice
from avatarforge.forge.health import Gpu, gpu_of

GIGABYTE = 2**30


def device(**changes: Any) -> dict[str, Any]:
    name = "cuda:0 NVIDIA GeForce RTX 3060 : cudaMallocAsync"
    return {"devices": [{"name": name, "type": "cuda", "vram_total": 12 * GIGABYTE, **changes}]}


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.label)
def test_a_choice_is_complete(choice: GuideChoice) -> None:
    uses = [use for use, _ in choice.files]
    files = [file for _, file in choice.files]
    assert set(files) <= set(all_downloads())
    assert len(set(files)) == len(files)
    assert uses[0] == "model"
    parts = MODEL_FAMILIES[choice.family].variant(choice.variant).parts
    whole = files[0].folder == "checkpoints"
    assert whole or parts is not None
    needed = [] if whole or parts is None else ["encoder"] * len(parts.encoders) + ["vae"]
    assert [use for use in uses if use in ("encoder", "vae")] == needed
    assert all(re.fullmatch(r"https://[\w.]+/\S+", file.page) for file in files)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.label)
def test_the_largest_file_has_room_in_the_memory(choice: GuideChoice) -> None:
    sizes = [file.size for _, file in choice.files if file.size is not None]
    assert max(sizes) * 1e9 < choice.memory * GIGABYTE


def test_the_smallest_comes_first_and_each_is_for_another_memory() -> None:
    memories = [choice.memory for choice in CHOICES]
    assert memories == sorted(set(memories))
    assert len({choice.label for choice in CHOICES}) == len(CHOICES)


def test_a_card_that_reports_a_little_less_than_its_name_says_fits() -> None:
    (choice,) = [choice for choice in CHOICES if choice.memory == 24]
    assert choice.fits(24.0) and choice.fits(23.5)
    assert not choice.fits(16.0) and not choice.fits(22.0)


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        (device(), Gpu("NVIDIA GeForce RTX 3060", 12.0)),
        (device(name="cuda:1 Card"), Gpu("Card", 12.0)),
        (device(name="mps", type="mps"), Gpu("mps", 12.0)),
        (device(name=None), Gpu("cuda", 12.0)),
        (device(name="cuda:0 \udcff"), Gpu("?", 12.0)),
        (device(type="cpu"), None),
        (device(vram_total=0), None),
        (device(vram_total="12 GB"), None),
        ({"devices": []}, None),
        ({"devices": None}, None),
        ({"devices": ["cuda"]}, None),
        ({}, None),
    ],
)
def test_the_gpu_is_what_comfyui_says(stats: dict[str, Any], expected: Gpu | None) -> None:
    assert gpu_of(stats) == expected
