"""Attention in diffusion transformers: masks, hints, latents of other kinds, and models that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from attention import close, comfyui_in_this_process, make_model, refer, share
from transformers_attention import (
    KINDS,
    SIZE,
    SeenTransformer,
    attention_over,
    draw,
    latents,
    make_transformer,
    picture_of,
    text,
)

from lab.host import ComfyUI

REFERENCE = (6, 10)


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


def test_a_mask_over_the_text_of_each_row_is_kept(host: SimpleNamespace) -> None:
    """Qwen-Image hides padding from attention. What is added is not hidden."""
    model = make_transformer(host, "qwen_image")
    mask = torch.ones(2, 7, dtype=torch.long)
    mask[0, 4:] = mask[1, 6:] = 0
    patched = share(host, refer(host, model, latents("qwen_image", REFERENCE), 0.4), 0.5)
    seen = SeenTransformer(patched)
    draw(host, "qwen_image", patched, views=2, steps=1, cfg=1.0, positive=text(1, 2, attention_mask=mask))
    places = KINDS["qwen_image"].places
    recorded = {call.place: call for call in seen.calls[:places]}
    for call in recorded.values():
        own = [(call.keys[0], call.values[0], _visible(mask[0], call.keys))]
        close(call.output[0], attention_over(call.queries[0], own))
    for call in seen.calls[places:]:
        reference, picture = recorded[call.place], picture_of("qwen_image", call, SIZE)
        there = picture_of("qwen_image", reference, REFERENCE)
        for row in range(2):
            sets: list[Any] = [(call.keys[row], call.values[row], _visible(mask[row], call.keys))]
            sets.append((reference.keys[0][:, there], reference.values[0][:, there], 0.4))
            if row:
                sets.append((call.keys[0][:, picture], call.values[0][:, picture], 0.5))
            close(call.output[row], attention_over(call.queries[row], sets))


def _visible(mask: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    return torch.cat([mask, torch.ones(keys.shape[2] - len(mask), dtype=mask.dtype)])


def test_a_mask_over_the_picture_is_kept_and_left_out_for_the_reference(host: SimpleNamespace) -> None:
    """FLUX.1's style models weaken their tokens with a mask in the size of text and picture."""
    model = make_transformer(host, "flux")
    words, tokens = 7, 12
    weights = torch.ones(1, words + tokens, words + tokens)
    weights[:, words:, 3:5] = 0.3
    options = {"attention_mask": weights.log(), "attention_mask_img_shape": (4, 3)}
    patched = share(host, refer(host, model, latents("flux", REFERENCE), 0.4), 0.5)
    seen = SeenTransformer(patched)
    draw(host, "flux", patched, views=2, steps=1, cfg=1.0, positive=text(1, 2, words, **options))
    places = KINDS["flux"].places
    recorded = {call.place: call for call in seen.calls[:places]}
    assert all(call.mask is None for call in recorded.values())
    for call in seen.calls[places:]:
        reference, picture = recorded[call.place], picture_of("flux", call, SIZE)
        there = picture_of("flux", reference, REFERENCE)
        sets: list[Any] = [
            (call.keys[1], call.values[1], weights[0]),
            (reference.keys[0][:, there], reference.values[0][:, there], 0.4),
            (call.keys[0][:, picture], call.values[0][:, picture], 0.5),
        ]
        close(call.output[1], attention_over(call.queries[1], sets))


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_mask_of_truths_shows_what_is_added(host: SimpleNamespace, rows: int) -> None:
    """Not every backend of ComfyUI takes such a mask, so this is tried on torch's own attention."""
    generator = torch.Generator().manual_seed(2)
    queries, keys, values, more = (torch.randn(2, 4, 6, 16, generator=generator) for _ in range(4))
    mask = torch.rand(*((rows, 1) if rows else ()), 6, 6, generator=generator) > 0.3

    def backend(
        queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
    ) -> torch.Tensor:
        output = torch.nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return output.transpose(1, 2).flatten(2)

    call = host.attention_calls.SelfAttention(
        ("double", 0), backend, queries, keys, values, 4, mask, slice(2, 6)
    )
    attention = call.attention(mask)
    for row in range(2):
        shown = mask if not rows else mask[row % rows, 0]
        own = (keys[row], values[row], shown)
        close(attention(queries, keys, values)[row], attention_over(queries[row], [own]))
        both = attention(queries, torch.cat([keys, more], dim=2), torch.cat([values, more], dim=2))
        close(both[row], attention_over(queries[row], [own, (more[row], more[row], 1.0)]))


def test_hints_of_the_picture_are_left_out_for_the_reference(host: SimpleNamespace) -> None:
    """Z-Image's pose control and Anima's are patches, which change tokens in the size of the picture."""
    for name in ("z_image", "anima"):
        sizes: list[int] = []

        def hint(inputs: dict[str, Any], sizes: list[int] = sizes) -> dict[str, Any]:
            sizes.append(inputs["x"].shape[-1])
            return inputs

        model = make_transformer(host, name)
        model.set_model_post_input_patch(hint) if name == "anima" else model.set_model_double_block_patch(
            hint
        )
        referred = refer(host, model, latents(name, REFERENCE))
        seen = SeenTransformer(referred)
        draw(host, name, referred, steps=1, cfg=1.0)
        assert len(seen.of_pictures(name)) == 2 * KINDS[name].places
        assert set(sizes) == {SIZE[1]}


def test_latents_of_another_kind_are_refused(host: SimpleNamespace) -> None:
    flux, qwen = make_transformer(host, "flux"), make_transformer(host, "qwen_image")
    with pytest.raises(ValueError, match="VAE of the same model"):
        refer(host, flux, latents("qwen_image", SIZE))
    with pytest.raises(ValueError, match="VAE of the same model"):
        refer(host, qwen, latents("flux", SIZE))
    with pytest.raises(ValueError, match="video of 2 latent frames"):
        refer(host, qwen, torch.zeros(1, 16, 2, *SIZE))


def test_a_model_that_is_not_known_is_refused_before_sampling(host: SimpleNamespace) -> None:
    settings = {
        **KINDS["anima"].settings,
        "image_model": "cosmos_predict2",
    }
    config = host.models.CosmosT2IPredict2(settings)
    config.unet_config.update(dtype=torch.float32)
    cpu = torch.device("cpu")
    model = host.patcher.ModelPatcher(config.get_model({}, device=cpu), load_device=cpu, offload_device=cpu)
    with pytest.raises(ValueError, match="attention is not supported: MiniTrainDIT"):
        share(host, model, 0.5)
    with pytest.raises(ValueError, match="attention is not supported: MiniTrainDIT"):
        refer(host, model, latents("anima", SIZE))
    assert share(host, model, 0.0) is model
    assert not host.picture_tokens.supports_shared_attention(model)
    assert host.picture_tokens.supports_shared_attention(make_transformer(host, "anima"))
    assert host.picture_tokens.supports_shared_attention(make_model(host, "sd15"))


def test_half_precision_models(host: SimpleNamespace) -> None:
    for name in ("flux", "anima"):
        model = make_transformer(host, name, torch.bfloat16)
        patched = share(host, refer(host, model, latents(name, REFERENCE), 0.5), 0.5)
        seen = SeenTransformer(patched)
        samples = draw(host, name, patched, views=2)
        assert not torch.allclose(samples, draw(host, name, model, views=2), atol=1e-2)
        assert all(call.queries.dtype == torch.bfloat16 for call in seen.calls)
