"""What self-attention sees, on the tensors of ComfyUI's own UNets with random weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from attention import (
    FAMILIES,
    PLACES,
    Seen,
    close,
    comfyui_in_this_process,
    make_model,
    picture,
    refer,
    run,
    share,
    softmax_over,
)

from lab.host import ComfyUI


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


@pytest.fixture(scope="module", params=list(FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(host: SimpleNamespace, family: str) -> Any:
    return make_model(host, family)


@pytest.fixture(scope="module")
def sd15(host: SimpleNamespace) -> Any:
    return make_model(host, "sd15")


@pytest.mark.parametrize("consistency", [0.25, 1.0])
def test_a_view_sees_the_first_view_with_the_weight_asked(
    host: SimpleNamespace, family: str, model: Any, consistency: float
) -> None:
    views = 3
    shared = share(host, model, consistency)
    seen = Seen(shared)
    run(host, shared, views=views, steps=1)
    assert len(seen.calls) == PLACES[family]
    for _, (queries, keys, values), output, heads in seen.calls:
        assert len(queries) == 2 * views  # both conditionings in one batch
        for row in range(len(queries)):
            first = row // views * views
            sets = [(keys[row], values[row], 1.0)]
            without = softmax_over(queries[row], sets, heads)
            if row == first:
                close(output[row], without)
                continue
            sets.append((keys[first], values[first], consistency))
            close(output[row], softmax_over(queries[row], sets, heads))
            assert (output[row] - without).abs().max() > 1e-3


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_a_picture_sees_the_reference_with_the_weight_asked(
    host: SimpleNamespace, family: str, model: Any, strength: float
) -> None:
    """Two reference pictures of another size than the picture, and two pictures in the batch."""
    referred = refer(host, model, picture(6, 10, count=2), strength)
    seen = Seen(referred)
    run(host, referred, views=2, steps=1)
    assert len(seen.calls) == 2 * PLACES[family]
    recorded = {place: tensors for place, tensors, _, _ in seen.calls[: PLACES[family]]}
    for place, (queries, keys, values), output, heads in seen.calls[PLACES[family] :]:
        _, reference_keys, reference_values = recorded[place]
        assert len(reference_keys) == 4
        for row in range(4):
            chunk = row // 2
            sets = [(keys[row], values[row], 1.0)]
            without = softmax_over(queries[row], sets, heads)
            sets += [
                (reference_keys[2 * chunk + n], reference_values[2 * chunk + n], strength) for n in range(2)
            ]
            close(output[row], softmax_over(queries[row], sets, heads))
            assert (output[row] - without).abs().max() > 1e-3


def test_two_references_count_each_with_its_weight(host: SimpleNamespace, family: str, model: Any) -> None:
    """Pictures of different sizes and strengths, and a front that sees them as it would alone."""
    weights, latents = (0.3, 0.9), (picture(6, 10), picture(8, 4, seed=6))
    both = model
    for weight, latent in zip(weights, latents, strict=True):
        both = refer(host, both, latent, weight)
    assert refer(host, both, picture(4, 4, seed=9), 0.0) is both
    seen = Seen(both)
    run(host, both, steps=1)
    places = PLACES[family]
    recorded = [
        {place: tensors for place, tensors, _, _ in seen.calls[start : start + places]}
        for start in (0, places)
    ]
    assert len(seen.calls) == 3 * places
    for place, (queries, keys, values), output, heads in seen.calls[2 * places :]:
        for row in range(2):
            sets = [(keys[row], values[row], 1.0)]
            sets += [
                (tensors[place][1][row], tensors[place][2][row], weight)
                for tensors, weight in zip(recorded, weights, strict=True)
            ]
            close(output[row], softmax_over(queries[row], sets, heads))
            for left_out in (1, 2):
                fewer = [each for at, each in enumerate(sets) if at != left_out]
                assert (output[row] - softmax_over(queries[row], fewer, heads)).abs().max() > 1e-3
    alone, shared = run(host, both, views=2), run(host, share(host, both, 0.7), views=2)
    close(shared[0], alone[0])
    assert not torch.allclose(shared[1], alone[1], atol=1e-4)


def test_zero_is_absence(host: SimpleNamespace, model: Any) -> None:
    assert share(host, model, 0.0) is model
    assert refer(host, model, picture(8, 8), 0.0) is model
    seen = Seen(plain := model.clone())
    run(host, plain, views=2, steps=1)
    for _, (queries, keys, values), output, heads in seen.calls:
        for row in range(len(queries)):
            close(output[row], softmax_over(queries[row], [(keys[row], values[row], 1.0)], heads))


def test_one_view_is_untouched(host: SimpleNamespace, model: Any) -> None:
    assert torch.equal(run(host, share(host, model, 1.0)), run(host, model))


def test_the_first_view_is_the_anchor_and_stays(host: SimpleNamespace, model: Any) -> None:
    plain = run(host, model, views=3)
    shared = run(host, share(host, model, 0.5), views=3)
    close(shared[0], plain[0])
    assert (shared[1:] - plain[1:]).abs().amax(dim=(1, 2, 3)).min() > 1e-3


def test_the_same_inputs_give_the_same_and_others_do_not(host: SimpleNamespace, model: Any) -> None:
    latent = picture(8, 8)
    plain = run(host, model)
    pictures = [run(host, refer(host, model, latent, strength)) for strength in (0.02, 0.5, 1.0)]
    pictures.append(run(host, refer(host, model, picture(8, 8, seed=6))))
    assert torch.equal(pictures[1], run(host, refer(host, model, latent.clone(), 0.5)))
    every = [plain, *pictures]
    for index, item in enumerate(every):
        assert all(not torch.allclose(item, other, atol=1e-4) for other in every[:index])
    changes = [(item - plain).norm() for item in pictures[:3]]
    assert changes[0] < changes[1]
    assert changes[0] < changes[2]


def test_nothing_leaks_into_the_model_or_the_next_run(host: SimpleNamespace, sd15: Any) -> None:
    before = copy.deepcopy(sd15.model_options)
    first = run(host, sd15, views=2)
    patched = share(host, refer(host, sd15, picture(8, 8)), 0.5)
    options = dict(patched.model_options["transformer_options"])
    assert not torch.allclose(run(host, patched, views=2), first, atol=1e-4)

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(host, patched, views=2, callback=interrupt)
    assert sd15.model_options == before
    assert not sd15.wrappers
    assert patched.model_options["transformer_options"] == options
    assert torch.equal(run(host, sd15, views=2), first)


def test_cfg_in_one_batch_and_in_two_is_the_same(
    host: SimpleNamespace, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    patched = share(host, refer(host, model, picture(6, 10, count=2), 0.5), 0.5)
    seen = Seen(patched)
    together = run(host, patched, views=3)
    rows = {len(call[1][0]) for call in seen.calls}
    assert rows == {4, 6}  # two references and three views for each conditioning
    seen.calls.clear()
    # With no memory for both conditionings at once, ComfyUI runs one after the other.
    monkeypatch.setattr(model.model, "memory_required", lambda *_, **__: 1e30)
    apart = run(host, patched, views=3)
    assert {len(call[1][0]) for call in seen.calls} == {2, 3}
    close(apart, together)


def test_without_cfg_only_the_prompt_runs(host: SimpleNamespace, sd15: Any) -> None:
    patched = share(host, refer(host, sd15, picture(6, 10), 0.5), 0.5)
    seen = Seen(patched)
    assert not torch.allclose(run(host, patched, views=2, cfg=1.0), run(host, sd15, views=2, cfg=1.0))
    assert {len(call[1][0]) for call in seen.calls} == {1, 2}


def test_sources_add_up(host: SimpleNamespace, model: Any) -> None:
    """Tokens twice with weight a are tokens once with weight 2 a, for references as for views."""
    latent = picture(6, 10)
    twice = refer(host, refer(host, model, latent, 0.5), latent, 0.5)
    close(run(host, twice), run(host, refer(host, model, latent, 1.0)))
    twice = share(host, share(host, model, 0.5), 0.5)
    close(run(host, twice, views=2), run(host, share(host, model, 1.0), views=2))
