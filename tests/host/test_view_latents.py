"""The nodes that make and take the latents of views."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from attention import comfyui_in_this_process

from lab.host import ComfyUI


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


def test_views_latent(host: SimpleNamespace) -> None:
    latent = host.turnaround.ViewsLatent.execute(64, 96, 3, True).args[0]
    assert latent["samples"].shape == (3, 4, 12, 8)
    assert not latent["samples"].any()
    assert latent["batch_index"] == [0, 0, 0]
    assert "batch_index" not in host.turnaround.ViewsLatent.execute(64, 96, 3, False).args[0]


def test_take_view(host: SimpleNamespace) -> None:
    def take(latent: dict[str, Any], view: int, width: int) -> dict[str, Any]:
        taken: dict[str, Any] = host.turnaround.TakeView.execute(latent, view, width).args[0]
        return taken

    rows = torch.arange(3 * 4 * 5 * 8.0).reshape(3, 4, 5, 8)
    whole = take({"samples": rows}, 2, 0)
    assert torch.equal(whole["samples"], rows[2:])
    assert whole["batch_index"] == [2]
    latent = {
        "samples": rows,
        "batch_index": [7, 0, 7],
        "noise_mask": torch.arange(3 * 64.0).reshape(3, 1, 1, 64),
    }
    before = copy.deepcopy(latent)
    cut = take(latent, 1, 32)
    assert torch.equal(cut["samples"], rows[1:2, :, :, 2:6])
    assert cut["batch_index"] == [0]
    assert torch.equal(cut["noise_mask"], latent["noise_mask"][1:2, :, :, 16:48])
    assert torch.equal(
        take({**latent, "noise_mask": torch.ones(1, 5, 8)}, 2, 0)["noise_mask"], torch.ones(1, 5, 8)
    )
    assert all(torch.equal(latent[name], before[name]) for name in ("samples", "noise_mask"))
    with pytest.raises(ValueError, match="no view 3"):
        take(latent, 3, 0)
    with pytest.raises(ValueError, match="64 pixels"):
        take(latent, 0, 72)
