"""The reference in self-attention: at which steps it is seen, and with which models."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from attention import Seen, comfyui_in_this_process, make_model, picture, refer, run, share, words

from lab.host import ComfyUI


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


@pytest.fixture(scope="module")
def sd15(host: SimpleNamespace) -> Any:
    return make_model(host, "sd15")


@pytest.mark.parametrize("sampler", ["euler_ancestral", "heun", "dpmpp_sde", "dpmpp_2m", "uni_pc", "ddim"])
def test_every_evaluation_of_any_sampler_sees_the_reference(
    host: SimpleNamespace, sd15: Any, sampler: str
) -> None:
    patched = refer(host, sd15, picture(6, 10))
    seen = Seen(patched)
    first = run(host, patched, sampler_name=sampler, steps=3)
    on_reference = sum(call[1][0].shape[1] in (60, 15) for call in seen.calls)
    assert on_reference * 2 == len(seen.calls)
    assert torch.equal(run(host, patched, sampler_name=sampler, steps=3), first)
    assert not torch.allclose(run(host, sd15, sampler_name=sampler, steps=3), first, atol=1e-4)


def test_the_noise_on_the_reference_is_the_same_at_every_step(host: SimpleNamespace, sd15: Any) -> None:
    latent = picture(6, 10)
    patched = refer(host, sd15, latent)
    given: list[tuple[torch.Tensor, torch.Tensor]] = []
    inner = sd15.model._apply_model

    def watch(x: torch.Tensor, t: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if x.shape[-2:] == latent.shape[-2:]:
            given.append((x[0].clone(), t[0].clone()))
        return inner(x, t, *args, **kwargs)

    sd15.model._apply_model = watch
    try:
        run(host, patched, steps=3, sampler_name="euler_ancestral")
        run(host, patched, steps=1, seed=99)
    finally:
        del sd15.model._apply_model
    clean = sd15.model.process_latent_in(latent)[0]
    noises = [(x - clean) / sigma for x, sigma in given]
    assert len(noises) == 4
    assert 0.7 < noises[0].std() < 1.3
    for noise in noises[1:]:
        torch.testing.assert_close(noise, noises[0], rtol=1e-3, atol=1e-3)


def test_outside_its_range_the_reference_is_not_seen(host: SimpleNamespace, sd15: Any) -> None:
    steps, counts = 4, []
    for start, end in ((0.0, 1.0), (0.0, 0.4), (0.4, 1.0), (0.4, 0.41)):
        seen = Seen(patched := refer(host, sd15, picture(6, 10), 1.0, start, end))
        samples = run(host, patched, steps=steps)
        counts.append(sum(call[1][0].shape[1] == 60 for call in seen.calls) // 3)  # 3 places that large
    assert counts[0] == steps
    assert 0 < counts[1] < steps
    assert counts[1] + counts[2] == steps
    assert counts[3] == 0
    assert torch.equal(samples, run(host, sd15, steps=steps))


def test_a_range_that_is_none_and_a_latent_of_another_kind_are_refused(
    host: SimpleNamespace, sd15: Any
) -> None:
    with pytest.raises(ValueError, match="end_percent"):
        refer(host, sd15, picture(8, 8), 1.0, 0.5, 0.5)
    with pytest.raises(ValueError, match="4 channels"):
        refer(host, sd15, torch.zeros(1, 16, 8, 8))


def test_a_lora_reaches_the_tokens_of_the_reference(host: SimpleNamespace, sd15: Any) -> None:
    name = "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_k.weight"
    change = torch.randn(32, 32, generator=torch.Generator().manual_seed(8)) * 0.3
    changed = sd15.clone()
    assert changed.add_patches({name: ("diff", (change,))}) == [name]
    keys = []
    for base in (sd15, changed, sd15):
        seen = Seen(patched := refer(host, base, picture(6, 10)))
        run(host, patched, steps=1)
        place, (_, first, _), _, _ = seen.calls[0]
        assert place == (("input", 1), 0)
        keys.append(first)
    assert not torch.allclose(keys[0], keys[1], atol=1e-3)
    assert torch.equal(keys[0], keys[2])


def test_areas_see_the_reference_too(host: SimpleNamespace, sd15: Any) -> None:
    left = [[words(4)[0][0], {"area": (8, 4, 0, 0), "strength": 1.0}]]
    prompts = words(1) + left
    patched = refer(host, sd15, picture(6, 10))
    seen = Seen(patched)
    samples = run(host, patched, positive=prompts)
    assert not torch.allclose(samples, run(host, sd15, positive=prompts), atol=1e-4)
    assert {call[1][0].shape[1] for call in seen.calls} >= {60, 64, 32}


def test_inpainting_models(host: SimpleNamespace) -> None:
    """Their mask and masked picture have the picture's size, not the reference's."""
    model = make_model(host, "sd15", channels=9)
    referred = run(host, refer(host, model, picture(6, 10)), views=2)
    assert not torch.allclose(referred, run(host, model, views=2), atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_models(host: SimpleNamespace, dtype: torch.dtype) -> None:
    model = make_model(host, "sd15", dtype)
    patched = share(host, refer(host, model, picture(6, 10), 0.5), 0.5)
    seen = Seen(patched)
    samples = run(host, patched, views=2)
    assert not torch.allclose(samples, run(host, model, views=2), atol=1e-2)
    assert all(tensor.dtype == dtype for _, tensors, _, _ in seen.calls for tensor in tensors)
