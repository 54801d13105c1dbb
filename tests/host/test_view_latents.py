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


@pytest.mark.parametrize(
    ("family", "shape"),
    [
        ("sd15", (3, 4, 12, 8)),
        ("flux", (3, 16, 12, 8)),
        ("z_image", (3, 16, 12, 8)),
        ("flux2", (3, 128, 6, 4)),
        ("qwen_image", (3, 16, 1, 12, 8)),
        ("anima", (3, 16, 1, 12, 8)),
    ],
)
def test_views_latent_of_a_family_is_what_its_sampler_takes(
    host: SimpleNamespace, family: str, shape: tuple[int, ...]
) -> None:
    latent = host.turnaround.ViewsLatent.execute(64, 96, 3, True, family).args[0]
    assert latent["samples"].shape == shape
    name = {"sd15": "SD15", "flux": "Flux", "z_image": "ZImage", "flux2": "Flux2", "qwen_image": "QwenImage"}
    latent_format = getattr(host.models, name.get(family, "Anima")).latent_format()
    model = SimpleNamespace(get_model_object=lambda _: latent_format)
    fixed = host.sample.fix_empty_latent_channels(
        model, latent["samples"], latent["downscale_ratio_spacial"], None
    )
    assert fixed is latent["samples"]


def test_take_view_of_other_families(host: SimpleNamespace) -> None:
    def take(rows: torch.Tensor, view: int, width: int) -> Any:
        return host.turnaround.TakeView.execute({"samples": rows}, view, width).args[0]["samples"]

    video = torch.arange(3 * 16 * 5 * 8.0).reshape(3, 16, 1, 5, 8)
    assert torch.equal(take(video, 1, 0), video[1:2])
    assert torch.equal(take(video, 2, 32), video[2:, :, :, :, 2:6])
    coarse = torch.arange(2 * 128 * 5 * 8.0).reshape(2, 128, 5, 8)  # cells of 16 pixels
    assert torch.equal(take(coarse, 1, 64), coarse[1:, :, :, 2:6])
    assert take(coarse, 0, 8).shape[-1] == 1
    with pytest.raises(ValueError, match="128 pixels"):
        take(coarse, 0, 144)


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
