"""Generations whose models were written down by another system, or named in a message that is no text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fake_host import FakeHost
from queueing import fail, in_queue, submit
from services import Product, product

from avatarforge.forge.errors import UnavailableError
from avatarforge.forge.ports import ModelFile

HERE, THERE = "sub/anime.safetensors", "sub\\anime.safetensors"
POSE_HERE, POSE_THERE = "sub/openpose.safetensors", "sub\\openpose.safetensors"


def use_names(host: FakeHost, checkpoint: str, controlnet: str) -> None:
    host.installed = replace(
        host.installed,
        checkpoints=(ModelFile(checkpoint, "sd15"),),
        controlnets=(ModelFile(controlnet, "sd15"),),
    )


def loaded(host: FakeHost) -> set[str]:
    """The models that the prompt that was queued last loads."""
    nodes = host.prompts[host.submitted[-1]].values()
    names = [node["inputs"].get("ckpt_name") or node["inputs"].get("control_net_name") for node in nodes]
    return {name for name in names if name}


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        use_names(opened.host, THERE, POSE_THERE)
        yield opened


async def test_a_retry_names_models_as_this_comfyui_does(forge: Product) -> None:
    failed = await fail(forge, await submit(forge, "all_poses"))
    assert loaded(forge.host) == {THERE, POSE_THERE}
    use_names(forge.host, HERE, POSE_HERE)
    await forge.generations.retry(failed.id)
    assert loaded(forge.host) == {HERE, POSE_HERE}


async def test_a_reroll_names_models_as_this_comfyui_does(forge: Product) -> None:
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    use_names(forge.host, HERE, POSE_HERE)
    await forge.generations.reroll(record.id, "back", 3)
    assert loaded(forge.host) == {HERE, POSE_HERE}


async def test_a_reroll_without_its_model_says_which_is_missing(forge: Product) -> None:
    record = await submit(forge, "all_poses")
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    use_names(forge.host, "other.safetensors", POSE_HERE)
    with pytest.raises(UnavailableError, match=r"anime\.safetensors.*put it into models/checkpoints"):
        await forge.generations.reroll(record.id, "back", 3)


async def test_what_goes_on_after_a_restart_names_models_as_this_comfyui_does(tmp_path: Path) -> None:
    async with product(tmp_path) as forge:
        use_names(forge.host, THERE, POSE_THERE)
        record = await submit(forge, "all_poses")
    host = FakeHost(tmp_path)
    use_names(host, HERE, POSE_HERE)
    async with product(tmp_path, host) as forge:
        await in_queue(forge, 1)
        assert host.submitted == [record.prompt_id]
        assert loaded(host) == {HERE, POSE_HERE}


async def test_an_error_that_is_no_text_is_still_written_down(forge: Product) -> None:
    # Python reads the byte 0xe9 of a Linux file name as U+DCE9 (PEP 383).
    failed = await fail(forge, await submit(forge), "no such file: caf\udce9.safetensors")
    assert failed.error == "no such file: caf?.safetensors"
