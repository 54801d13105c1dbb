"""What the self-attention of diffusion transformers sees, on ComfyUI's own classes with random weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from attention import OVERRIDE, close, comfyui_in_this_process, refer, share
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

OTHER = (6, 10)


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(host: SimpleNamespace, kind: str) -> Any:
    return make_transformer(host, kind)


@pytest.mark.parametrize("consistency", [0.25, 1.0])
def test_a_view_sees_the_first_picture_with_the_weight_asked(
    host: SimpleNamespace, kind: str, model: Any, consistency: float
) -> None:
    views = 3
    shared = share(host, model, consistency)
    seen = SeenTransformer(shared)
    draw(host, kind, shared, views=views, steps=1, cfg=1.0)
    calls = seen.of_pictures(kind)
    assert len(calls) == KINDS[kind].places
    for call in calls:
        assert len(call.queries) == views
        picture = picture_of(kind, call, SIZE)
        for row in range(views):
            sets: list[Any] = [(call.keys[row], call.values[row], 1.0)]
            without = attention_over(call.queries[row], sets)
            if row == 0:
                close(call.output[row], without)
                continue
            sets.append((call.keys[0][:, picture], call.values[0][:, picture], consistency))
            close(call.output[row], attention_over(call.queries[row], sets))
            assert (call.output[row] - without).abs().max() > 1e-3


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_a_picture_sees_the_reference_with_the_weight_asked(
    host: SimpleNamespace, kind: str, model: Any, strength: float
) -> None:
    """Two reference pictures of another size than the picture, and two pictures in the batch."""
    referred = refer(host, model, latents(kind, OTHER, count=2), strength)
    seen = SeenTransformer(referred)
    draw(host, kind, referred, views=2, steps=1, cfg=1.0)
    calls, places = seen.of_pictures(kind), KINDS[kind].places
    assert len(calls) == 2 * places
    recorded = {call.place: call for call in calls[:places]}
    for call in calls[places:]:
        reference = recorded[call.place]
        there = picture_of(kind, reference, OTHER)
        for row in range(2):
            sets: list[Any] = [(call.keys[row], call.values[row], 1.0)]
            without = attention_over(call.queries[row], sets)
            sets += [(reference.keys[n][:, there], reference.values[n][:, there], strength) for n in range(2)]
            close(call.output[row], attention_over(call.queries[row], sets))
            assert (call.output[row] - without).abs().max() > 1e-3


def test_zero_installs_nothing_and_almost_zero_does_almost_nothing(
    host: SimpleNamespace, kind: str, model: Any
) -> None:
    assert share(host, model, 0.0) is model
    assert refer(host, model, latents(kind, SIZE), 0.0) is model
    plain = draw(host, kind, model, views=2)
    changes = []
    for weight in (1e-6, 0.5):
        both = share(host, refer(host, model, latents(kind, OTHER), weight), weight)
        changes.append((draw(host, kind, both, views=2) - plain).norm() / plain.norm())
    assert 0 < changes[0] < 1e-3 < changes[1]


def test_the_first_view_is_the_same_to_the_bit_and_the_others_are_not(
    host: SimpleNamespace, kind: str, model: Any
) -> None:
    plain = draw(host, kind, model, views=3)
    for consistency in (0.5, 1.0):
        shared = draw(host, kind, share(host, model, consistency), views=3)
        assert torch.equal(shared[0], plain[0])
        assert (shared[1:] - plain[1:]).flatten(1).abs().amax(dim=1).min() > 1e-3
    assert torch.equal(draw(host, kind, share(host, model, 1.0)), draw(host, kind, model))


def test_references_decide_the_picture_and_add_up(host: SimpleNamespace, kind: str, model: Any) -> None:
    latent, other = latents(kind, SIZE), latents(kind, SIZE, seed=6)
    plain = draw(host, kind, model)
    half = refer(host, model, latent, 0.5)
    results = [plain, draw(host, kind, half), draw(host, kind, refer(host, model, other, 0.5))]
    results.append(draw(host, kind, refer(host, half, other, 0.5)))
    for index, item in enumerate(results):
        assert all(not torch.allclose(item, before, atol=1e-4) for before in results[:index])
    # The same tokens twice with weight a are tokens once with weight 2 a.
    close(draw(host, kind, refer(host, half, latent, 0.5)), draw(host, kind, refer(host, model, latent)))
    twice = share(host, share(host, model, 0.5), 0.5)
    close(draw(host, kind, twice, views=2), draw(host, kind, share(host, model, 1.0), views=2))


def test_nothing_leaks_into_the_model_or_the_next_run(host: SimpleNamespace, kind: str, model: Any) -> None:
    before = copy.deepcopy(model.model_options)
    first = draw(host, kind, model, views=2)
    patched = share(host, refer(host, model, latents(kind, SIZE)), 0.5)
    options = dict(patched.model_options["transformer_options"])
    assert not torch.allclose(draw(host, kind, patched, views=2), first, atol=1e-4)

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(host, kind, patched, views=2, callback=interrupt)
    assert model.model_options == before
    assert not model.wrappers
    assert patched.model_options["transformer_options"] == options
    assert torch.equal(draw(host, kind, model, views=2), first)


def test_cfg_in_one_batch_and_in_two_is_the_same(
    host: SimpleNamespace, kind: str, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched = share(host, refer(host, model, latents(kind, OTHER, count=2), 0.5), 0.5)
    seen = SeenTransformer(patched)
    together = draw(host, kind, patched, views=3)
    assert {len(call.queries) for call in seen.calls} == {4, 6}
    seen.calls.clear()
    # With no memory for both conditionings at once, ComfyUI runs one after the other.
    monkeypatch.setattr(model.model, "memory_required", lambda *_, **__: 1e30)
    apart = draw(host, kind, patched, views=3)
    assert {len(call.queries) for call in seen.calls} == {2, 3}
    close(apart, together)


@pytest.mark.parametrize("ours_first", [True, False])
def test_another_packs_override_is_still_called(
    host: SimpleNamespace, kind: str, model: Any, ours_first: bool
) -> None:
    calls = {"theirs": 0}

    def with_theirs(model: Any) -> Any:
        changed = model.clone()
        options = changed.model_options["transformer_options"]
        before = options.get(OVERRIDE)

        def override(attention: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            calls["theirs"] += 1
            return before(attention, *args, **kwargs) if before else attention(*args, **kwargs)

        options[OVERRIDE] = override
        return changed

    both = with_theirs(share(host, model, 0.5)) if ours_first else share(host, with_theirs(model), 0.5)
    seen = SeenTransformer(both)
    samples = draw(host, kind, both, views=2, steps=1, cfg=1.0)
    # Of ours, the first view and the other one are apart.
    once = len(seen.calls) + seen.refining
    assert calls["theirs"] == once + (0 if ours_first else KINDS[kind].places)
    assert torch.equal(samples, draw(host, kind, share(host, model, 0.5), views=2, steps=1, cfg=1.0))


def test_an_override_that_forgets_ours_fails_the_run(host: SimpleNamespace, kind: str, model: Any) -> None:
    for patched, what in (
        (refer(host, model, latents(kind, SIZE)), "reference"),
        (share(host, model, 0.5), "consistency"),
    ):
        patched.model_options["transformer_options"][OVERRIDE] = lambda attention, *args, **kwargs: attention(
            *args, **kwargs
        )
        with pytest.raises(RuntimeError, match=f"could not apply the {what}"):
            draw(host, kind, patched, views=2)


def test_as_many_tokens_of_text_as_of_the_picture(host: SimpleNamespace, kind: str, model: Any) -> None:
    """Attention to the text, and layers before the blocks, are not taken for the picture's."""
    size = (16, 8) if KINDS[kind].cells == 2 else (8, 4)
    words = 32
    patched = share(host, refer(host, model, latents(kind, size), 0.5), 0.5)
    seen = SeenTransformer(patched)
    draw(host, kind, patched, views=2, size=size, steps=1, cfg=1.0, positive=text(1, 2, words))
    touched = 0
    on_pictures = [call for call in seen.calls if len(call.queries) == 2]
    for call in on_pictures:
        assert call.keys.shape[2] == call.queries.shape[2]
        own = attention_over(call.queries[1], [(call.keys[1], call.values[1], 1.0)])
        touched += int((call.output[1] - own).abs().max() > 1e-3)
    assert touched == KINDS[kind].places
    assert len(on_pictures) == touched * (2 if KINDS[kind].alone else 1)


@pytest.mark.parametrize("name", [name for name, each in KINDS.items() if each.references])
def test_reference_latents_are_not_taken_for_the_picture(host: SimpleNamespace, name: str) -> None:
    model = make_transformer(host, name)
    given = {
        "reference_latents": [latents(name, (4, 10), 7), latents(name, (6, 4), 8)],
        **KINDS[name].options,
    }
    positive = text(1, 2, **given)
    shared = share(host, model, 0.5)
    seen = SeenTransformer(shared)
    samples = draw(host, name, shared, views=2, steps=1, cfg=1.0, positive=positive)
    without = share(host, model, 0.5)
    assert not torch.allclose(samples, draw(host, name, without, views=2, steps=1, cfg=1.0), atol=1e-4)
    assert len(seen.calls) == KINDS[name].places
    tokens = 12 if KINDS[name].cells == 2 else 48
    for call in seen.calls:
        if name == "z_image":  # its references come first, each with a text of its own
            start = call.keys.shape[2] - 32
        else:
            start = picture_of(name, call, SIZE).start
            assert call.keys.shape[2] > start + tokens
        picture = slice(start, start + tokens)
        sets: list[Any] = [(call.keys[1], call.values[1], 1.0)]
        sets.append((call.keys[0][:, picture], call.values[0][:, picture], 0.5))
        close(call.output[1], attention_over(call.queries[1], sets))
