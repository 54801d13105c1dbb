"""One text per row of a batch: a row draws what its text draws alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from attention import close, comfyui_in_this_process
from transformers_attention import WORDS, draw, make_transformer

from lab.host import ComfyUI

SHORT, LONG = "one two three", "one two three four five six"


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


class Encoder:
    """A text encoder whose tokens are numbers; a token is turned into the same channels wherever it is.

    `tokenizer` may be one of ComfyUI's, or a type of them, for a tokenizer that cannot be made here.
    """

    def __init__(
        self, tokenizer: Any, name: str, options: Callable[[int], dict[str, Any]] | None = None
    ) -> None:
        self.tokenizer = object.__new__(tokenizer) if isinstance(tokenizer, type) else tokenizer
        self._name = name
        self._counts_words = isinstance(tokenizer, type)
        self._options = options or (lambda _: {})
        self._table = torch.randn(50_000, WORDS, generator=torch.Generator().manual_seed(4))

    def tokenize(self, words: str) -> dict[str, Any]:
        if not self._counts_words:
            tokens: dict[str, Any] = self.tokenizer.tokenize_with_weights(words)
            return tokens
        return {self._name: [[(len(word) + 7 * place, 1.0) for place, word in enumerate(words.split())]]}

    def encode_from_tokens_scheduled(self, tokens: dict[str, Any]) -> list[Any]:
        numbers = [number for part in tokens[self._name] for number, _ in part]
        cond = self._table[torch.tensor(numbers)][None]
        pooled = cond.mean(dim=1)[:, :16]
        return [[cond, {"pooled_output": pooled, **self._options(len(numbers))}]]


def full_mask(count: int) -> dict[str, Any]:
    return {"attention_mask": torch.ones(1, count, dtype=torch.long)}


def anima_ids(count: int) -> dict[str, Any]:
    ids = torch.arange(count, dtype=torch.int) * 11 + 3
    return {**full_mask(count), "t5xxl_ids": ids, "t5xxl_weights": torch.linspace(0.5, 1.5, count)}


def draws_as_alone(
    host: SimpleNamespace, name: str, model: Any, rows: list[Any], alone: list[list[Any]]
) -> None:
    """Row k of the batch is the picture of text k, from the same noise."""
    together = draw(host, name, model, views=len(alone), positive=rows, negative=rows, cfg=1.0, seed=3)
    # Noise of row k: the batch's noise in that row.
    for row, conditioning in enumerate(alone):
        latent = torch.zeros_like(together)
        noise = host.sample.prepare_noise(latent, 3)[row : row + 1]
        with torch.inference_mode():
            single = host.sample.sample(
                model,
                noise,
                steps=2,
                cfg=1.0,
                sampler_name="euler",
                scheduler="simple",
                positive=conditioning,
                negative=conditioning,
                latent_image=latent[:1],
                disable_pbar=True,
                seed=3,
            )
        close(together[row], single[0])


@pytest.mark.parametrize(
    ("name", "module", "tokenizer", "key", "texts"),
    [
        ("qwen_image", "qwen_image", "QwenImageTokenizer", "qwen25_7b", [SHORT, LONG]),
        ("flux2", "flux", "Flux2Tokenizer", "mistral3_24b", [SHORT, LONG]),
        ("z_image", "z_image", "ZImageTokenizer", "qwen3_4b", [SHORT, "four five six"]),
        ("krea2", "krea2", "Krea2Tokenizer", "qwen3vl_4b", [SHORT, "four five six"]),
    ],
)
def test_a_row_draws_what_its_text_draws_alone(
    host: SimpleNamespace, name: str, module: str, tokenizer: str, key: str, texts: list[str]
) -> None:
    encoders = __import__(f"comfy.text_encoders.{module}", fromlist=[tokenizer])
    clip = Encoder(getattr(encoders, tokenizer), key, full_mask)
    rows = host.conditioning.encode_texts(clip, texts)
    alone = [host.conditioning.encode_texts(clip, [each]) for each in texts]
    assert len(rows[0][0]) == 2
    model = make_transformer(host, name)
    draws_as_alone(host, name, model, rows, alone)
    swapped = host.conditioning.encode_texts(clip, texts[::-1])
    drawn = [draw(host, name, model, views=2, positive=each, cfg=1.0) for each in (rows, swapped)]
    assert (drawn[0] - drawn[1]).abs().max() > 1e-3


def test_anima_reads_rows_that_its_model_has_adapted(host: SimpleNamespace) -> None:
    from comfy.text_encoders.anima import AnimaTokenizer

    clip, model = Encoder(AnimaTokenizer, "qwen3_06b", anima_ids), make_transformer(host, "anima")
    before = copy.deepcopy(model.model_options)
    rows = host.conditioning.encode_texts(clip, [SHORT, LONG], model)
    assert rows[0][0].shape == (2, 512, WORDS)
    assert not any(name.startswith("t5xxl") for name in rows[0][1])
    assert model.model_options == before
    alone = [host.conditioning.encode_texts(clip, [each], model) for each in (SHORT, LONG)]
    assert all("t5xxl_ids" in each[0][1] for each in alone)
    draws_as_alone(host, "anima", model, rows, alone)
    with pytest.raises(ValueError, match="connect the model"):
        host.conditioning.encode_texts(clip, [SHORT, LONG])
    with pytest.raises(ValueError, match="connected model is not"):
        host.conditioning.encode_texts(clip, [SHORT, LONG], make_transformer(host, "flux"))


def test_a_text_longer_than_the_padding_gives_the_others_more_of_it(host: SimpleNamespace) -> None:
    from comfy.text_encoders.flux import FluxTokenizer, KleinTokenizer

    long = "word " * 600
    for tokenizer, key, least in ((FluxTokenizer(), "t5xxl", 256), (KleinTokenizer(), "qwen3_4b", 512)):
        clip = Encoder(tokenizer, key)
        clip._table = clip._table.repeat(4, 1)  # Qwen's vocabulary
        short = clip.tokenize(SHORT)[key][0]
        assert len(short) == least
        rows = host.conditioning.encode_texts(clip, [SHORT, long])[0][0]
        count = len(clip.tokenize(long)[key][0])
        assert rows.shape == (2, count, WORDS)
        assert count > least
        alone = [clip.encode_from_tokens_scheduled(clip.tokenize(each))[0][0] for each in (SHORT, long)]
        assert torch.equal(rows[0, :least], alone[0][0])
        assert torch.equal(rows[1:], alone[1])
        assert torch.equal(rows[0, least:], alone[0][:, -1].expand(count - least, -1))  # all padding
        equal = host.conditioning.encode_texts(clip, [SHORT, LONG])[0]
        assert equal[0].shape == (2, least, WORDS)
        assert equal[1]["pooled_output"].shape[0] == 2


def test_texts_for_cross_attention_are_repeated(host: SimpleNamespace) -> None:
    from comfy.sd1_clip import SD1Tokenizer

    clip = Encoder(SD1Tokenizer(), "l")
    texts = [SHORT, "word " * 100, "word " * 160]
    rows = host.conditioning.encode_texts(clip, texts)[0][0]
    assert rows.shape == (3, 6 * 77, WORDS)
    for row, words in zip(rows, texts, strict=True):
        alone = clip.encode_from_tokens_scheduled(clip.tokenize(words))[0][0][0]
        assert torch.equal(row, alone.repeat(len(row) // len(alone), 1))


@pytest.mark.parametrize(
    ("module", "tokenizer", "key"),
    [
        ("z_image", "ZImageTokenizer", "qwen3_4b"),
        ("krea2", "Krea2Tokenizer", "qwen3vl_4b"),
        ("pixart_t5", "PixArtTokenizer", "t5xxl"),
    ],
)
def test_texts_that_cannot_become_equally_long_are_refused(
    host: SimpleNamespace, module: str, tokenizer: str, key: str
) -> None:
    encoders = __import__(f"comfy.text_encoders.{module}", fromlist=[tokenizer])
    clip = Encoder(getattr(encoders, tokenizer), key, full_mask)
    with pytest.raises(ValueError, match="have 3, 6 tokens"):
        host.conditioning.encode_texts(clip, [SHORT, LONG])
    assert len(host.conditioning.encode_texts(clip, [LONG, LONG])[0][0]) == 2


def test_no_text_encoder_is_refused(host: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="no text encoder"):
        host.conditioning.encode_texts(None, [SHORT])


def test_a_batch_of_pictures_is_not_a_video(host: SimpleNamespace) -> None:
    """A VAE for video would make one latent of them."""
    pictures = torch.rand(3, 40, 32, 3, generator=torch.Generator().manual_seed(1))
    given: list[tuple[int, ...]] = []

    def encode(batch: torch.Tensor) -> torch.Tensor:
        given.append(tuple(batch.shape))
        return batch[:1].mean().expand(1, 16, 1, 4, 4)

    vae = SimpleNamespace(latent_dim=3, not_video=False, encode=encode)
    latents = host.conditioning.encode(vae, pictures, 32, 32)["samples"]
    assert latents.shape == (3, 16, 1, 4, 4)
    assert given == [(1, 32, 32, 3)] * 3
    assert len({float(row.mean()) for row in latents}) == 3
    given.clear()
    plain = SimpleNamespace(latent_dim=2, encode=encode)
    host.conditioning.encode(plain, pictures, 32, 32)
    assert given == [(3, 32, 32, 3)]


@pytest.mark.parametrize(
    ("size", "frame", "cell", "expected"),
    [
        ((64, 64), (64, 96), 8, (64, 64)),
        ((200, 100), (64, 96), 8, (64, 32)),
        ((100, 200), (64, 96), 8, (48, 96)),
        ((10, 20), (64, 96), 16, (48, 96)),
        ((1000, 10), (64, 96), 8, (64, 8)),
    ],
)
def test_a_picture_inside_its_frame_keeps_its_format(
    host: SimpleNamespace,
    size: tuple[int, int],
    frame: tuple[int, int],
    cell: int,
    expected: tuple[int, int],
) -> None:
    picture = torch.zeros(1, size[1], size[0], 3)
    picture[:, -1:] = picture[:, :, -1:] = 1  # at its edges, which cropping would cut off
    vae = SimpleNamespace(spacial_compression_encode=lambda: cell, encode=lambda pixels: pixels)
    inside = host.conditioning.encode(vae, picture, *frame, "inside")["samples"]
    assert (inside.shape[2], inside.shape[1]) == expected
    assert inside[0, -1, -1].mean() > 0.1
    cropped = host.conditioning.encode(vae, picture, *frame)["samples"]
    assert (cropped.shape[2], cropped.shape[1]) == frame


def test_latents_of_a_real_vae_for_video_have_a_row_per_picture(host: SimpleNamespace) -> None:
    """ComfyUI's VAE of Qwen-Image, narrow and with random weights."""
    import comfy.sd
    from comfy.ldm.wan.vae import WanVAE

    state = WanVAE(
        dim=16,
        z_dim=16,
        dim_mult=[1, 2, 4, 4],
        num_res_blocks=2,
        attn_scales=[],
        temperal_downsample=[False, True, True],
    ).state_dict()
    generator = torch.Generator().manual_seed(2)
    vae = comfy.sd.VAE(
        sd={name: torch.randn(each.shape, generator=generator) * 0.05 for name, each in state.items()}
    )
    pictures = torch.rand(2, 32, 32, 3, generator=generator)
    with torch.inference_mode():
        both = host.conditioning.encode(vae, pictures, 32, 32)["samples"]
        single = host.conditioning.encode(vae, pictures[1:], 32, 32)["samples"]
        as_video = vae.encode(pictures)
    assert both.shape == (2, 16, 1, 4, 4)
    close(both[1], single[0])
    assert as_video.shape[0] == 1
