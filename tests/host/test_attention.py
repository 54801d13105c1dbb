"""What self-attention sees, on the tensors: ComfyUI's own UNet, samplers and patcher, with random weights.

ComfyUI runs inside this process here, on the processor: a server could not show its tensors.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lab.host import ComfyUI

OVERRIDE = "optimized_attention_override"
SMALL = {
    "image_size": 32,
    "in_channels": 4,
    "out_channels": 4,
    "model_channels": 32,
    "channel_mult": [1, 2],
    "num_res_blocks": [1, 1],
    "use_spatial_transformer": True,
    "legacy": False,
}
FAMILIES = {
    "sd15": {
        "transformer_depth": [1, 1],
        "transformer_depth_output": [1, 1, 1, 1],
        "transformer_depth_middle": 1,
        "context_dim": 24,
    },
    "sdxl": {
        "transformer_depth": [0, 2],
        "transformer_depth_output": [0, 0, 2, 2],
        "transformer_depth_middle": 2,
        "context_dim": 24,
        "use_linear_in_transformer": True,
        "num_classes": "sequential",
        "adm_in_channels": 2816,
    },
}
#: Self-attentions of the two UNets above.
PLACES = {"sd15": 7, "sdxl": 8}
TEXT_TOKENS = 7  # no picture here has as many tokens


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """ComfyUI's modules and our nodes, imported as ComfyUI itself would be with ``--cpu``."""
    path = sys.path.copy()
    sys.path.append(str(comfyui.root))
    from comfy.cli_args import args

    args.cpu = True
    args.base_directory = str(tmp_path_factory.mktemp("base"))
    import comfy.model_patcher
    import comfy.sample
    import comfy.supported_models
    import comfy_extras.nodes_hypertile

    from avatarforge.avatarforge_nodes import reference, turnaround

    # Operations this small take longest where threads wait for each other.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield SimpleNamespace(
        sample=comfy.sample,
        models=comfy.supported_models,
        patcher=comfy.model_patcher,
        hypertile=comfy_extras.nodes_hypertile.HyperTile,
        reference=reference,
        turnaround=turnaround,
    )
    torch.set_num_threads(threads)
    sys.path[:] = path  # ComfyUI's `nodes` puts a folder of very plain names in front


@pytest.fixture(scope="module", params=list(FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(host: SimpleNamespace, family: str) -> Any:
    return make_model(host, family)


@pytest.fixture(scope="module")
def sd15(host: SimpleNamespace) -> Any:
    return make_model(host, "sd15")


def make_model(
    host: SimpleNamespace, family: str, dtype: torch.dtype = torch.float32, channels: int = 4
) -> Any:
    """A ModelPatcher of this family; one of inpainting has 9 channels."""
    config = getattr(host.models, family.upper())({**SMALL, **FAMILIES[family], "in_channels": channels})
    config.unet_config.update(num_heads=2, num_head_channels=-1, dtype=dtype)
    model = config.get_model({}, device=torch.device("cpu"))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, weight in model.diffusion_model.named_parameters():
            numbers = torch.randn(weight.shape, generator=generator)
            # Queries and keys large enough for an attention that prefers some tokens to others.
            fan = weight[0].numel() if weight.ndim > 1 else 100
            gain = 2.0 if "attn1.to_q" in name or "attn1.to_k" in name else 1.0
            weight.copy_(numbers * gain * fan**-0.5 + (1.0 if "norm" in name and weight.ndim == 1 else 0.0))
    cpu = torch.device("cpu")
    return host.patcher.ModelPatcher(model, load_device=cpu, offload_device=cpu)


def words(seed: int, count: int = 1) -> list[Any]:
    """A conditioning; with a count, one row per picture."""
    generator = torch.Generator().manual_seed(seed)
    return [
        [
            torch.randn(count, TEXT_TOKENS, 24, generator=generator),
            {"pooled_output": torch.randn(count, 1280, generator=generator)},
        ]
    ]


def picture(height: int, width: int, seed: int = 5, count: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 4, height, width, generator=generator) * 3


def run(
    host: SimpleNamespace, model: Any, *, views: int = 1, size: tuple[int, int] = (8, 8), **changes: Any
) -> Any:
    """Latents of a run of ComfyUI's KSampler, each view from noise and words of its own."""
    given = {
        "seed": 3,
        "steps": 2,
        "cfg": 5.0,
        "sampler_name": "euler",
        "scheduler": "normal",
        "positive": words(1, views),
        "negative": words(2),
        **changes,
    }
    latent = torch.zeros(views, 4, *size)
    noise = host.sample.prepare_noise(latent, given["seed"])
    with torch.inference_mode():
        samples: torch.Tensor = host.sample.sample(
            model, noise, latent_image=latent, disable_pbar=True, **given
        )
    assert samples.isfinite().all()
    return samples.clone()


def share(host: SimpleNamespace, model: Any, consistency: float) -> Any:
    return host.turnaround.ShareViews.execute(model, consistency).args[0]


def refer(
    host: SimpleNamespace,
    model: Any,
    latent: torch.Tensor,
    strength: float = 1.0,
    start: float = 0.0,
    end: float = 1.0,
) -> Any:
    return host.reference.ApplyReference.execute(model, {"samples": latent}, strength, start, end).args[0]


class Seen:
    """Another pack's override that goes around all others and keeps what each self-attention got and gave."""

    def __init__(self, model: Any) -> None:
        self.calls: list[tuple[tuple[Any, ...], tuple[torch.Tensor, ...], torch.Tensor, int]] = []
        options = model.model_options["transformer_options"]
        options[OVERRIDE] = partial(self._watch, options.get(OVERRIDE))

    def _watch(self, inner: Any, attention: Any, *args: Any, **kwargs: Any) -> Any:
        output = inner(attention, *args, **kwargs) if inner else attention(*args, **kwargs)
        queries, keys, values, heads = args[:4]
        if keys.shape[1] != TEXT_TOKENS:
            options = kwargs["transformer_options"]
            place = (options["block"], options["block_index"])
            self.calls.append((place, (queries, keys, values), output, heads))
        return output


def softmax_over(
    queries: torch.Tensor, sets: list[tuple[torch.Tensor, torch.Tensor, float]], heads: int
) -> torch.Tensor:
    """sum(w e^s v) / sum(w e^s) for one row: (tokens, heads * channels), in double precision."""

    def apart(tokens: torch.Tensor) -> torch.Tensor:
        return tokens.double().unflatten(-1, (heads, -1)).transpose(0, 1)

    scale = (queries.shape[-1] // heads) ** -0.5
    grown = torch.cat([(apart(queries) @ apart(k).mT * scale).exp() * w for k, _, w in sets], dim=-1)
    output = grown @ torch.cat([apart(v) for _, v, _ in sets], dim=1) / grown.sum(-1, keepdim=True)
    return output.transpose(0, 1).flatten(1)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(found.double(), expected.double(), rtol=1e-4, atol=1e-4)


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
    for index, one in enumerate(every):
        assert all(not torch.allclose(one, other, atol=1e-4) for other in every[:index])
    changes = [(one - plain).norm() for one in pictures[:3]]
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


def test_sources_add_up(host: SimpleNamespace, model: Any) -> None:
    """Tokens twice with weight a are tokens once with weight 2 a, for references as for views."""
    latent = picture(6, 10)
    twice = refer(host, refer(host, model, latent, 0.5), latent, 0.5)
    close(run(host, twice), run(host, refer(host, model, latent, 1.0)))
    twice = share(host, share(host, model, 0.5), 0.5)
    close(run(host, twice, views=2), run(host, share(host, model, 1.0), views=2))


@pytest.mark.parametrize("ours_first", [True, False])
def test_other_packs_patches_and_overrides_still_run(
    host: SimpleNamespace, sd15: Any, ours_first: bool
) -> None:
    calls = {"patch": 0, "override": 0}

    def patch(queries: Any, keys: Any, values: Any, _extra: Any) -> Any:
        calls["patch"] += 1
        return queries * 1.5, keys, values

    def theirs(model: Any) -> Any:
        changed = model.clone()
        changed.set_model_attn1_patch(patch)
        options = changed.model_options["transformer_options"]
        before = options.get(OVERRIDE)

        def override(attention: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            calls["override"] += 1
            return before(attention, *args, **kwargs) if before else attention(*args, **kwargs)

        options[OVERRIDE] = override
        return changed

    def ours(model: Any) -> Any:
        return share(host, model, 0.5)

    both = theirs(ours(sd15)) if ours_first else ours(theirs(sd15))
    seen = Seen(both)
    run(host, both, views=2, steps=1)
    # Self- and cross-attention; of ours, the first view and the other one are apart.
    assert calls == {"patch": 7, "override": 14 if ours_first else 21}
    assert len(seen.calls) == 7
    for _, (queries, keys, values), output, heads in seen.calls:
        sets = [(keys[1], values[1], 1.0), (keys[0], values[0], 0.5)]
        close(output[1], softmax_over(queries[1], sets, heads))


def test_it_works_with_tiles(host: SimpleNamespace, sd15: Any) -> None:
    """HyperTile makes more, smaller rows out of each picture's queries."""
    (tiled,) = host.hypertile.execute(sd15, 64, 2, 0, False)
    plain = run(host, tiled, views=2, size=(32, 32), steps=1)
    patched = share(host, refer(host, tiled, picture(16, 16), 0.5), 0.5)
    seen = Seen(patched)
    assert not torch.allclose(run(host, patched, views=2, size=(32, 32), steps=1), plain, atol=1e-4)
    assert max(len(call[1][0]) for call in seen.calls) > 4  # two conditionings of two views each


@pytest.mark.parametrize("which", ["reference", "consistency"])
def test_an_input_that_was_not_applied_fails(host: SimpleNamespace, sd15: Any, which: str) -> None:
    patched = refer(host, sd15, picture(8, 8)) if which == "reference" else share(host, sd15, 0.5)
    # A pack whose override forgets the one before it.
    patched.model_options["transformer_options"][OVERRIDE] = lambda attention, *args, **kwargs: attention(
        *args, **kwargs
    )
    with pytest.raises(RuntimeError, match=f"could not apply the {which}"):
        run(host, patched, views=2)


def test_cross_attention_never_stands_in_for_a_replaced_self_attention(
    host: SimpleNamespace, sd15: Any
) -> None:
    patched = share(host, sd15, 0.5)
    for block, count in (("input", 4), ("middle", 1), ("output", 4)):
        for number in range(count):
            patched.set_model_attn1_replace(lambda _queries, _keys, values, _extra: values, block, number)
    with pytest.raises(RuntimeError, match="could not apply the consistency"):
        run(host, patched, views=2)


@pytest.mark.parametrize("theirs_calls_through", [True, False])
def test_an_override_between_two_nodes_of_ours(
    host: SimpleNamespace, sd15: Any, theirs_calls_through: bool
) -> None:
    patched = share(host, sd15, 0.5)
    options = patched.model_options["transformer_options"]
    ours = options[OVERRIDE]

    def theirs(attention: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return ours(attention, *args, **kwargs) if theirs_calls_through else attention(*args, **kwargs)

    options[OVERRIDE] = theirs
    latent = picture(8, 8)
    close(
        run(host, refer(host, patched, latent), views=2),
        run(host, refer(host, share(host, sd15, 0.5), latent), views=2),
    )


def test_other_packs_wrappers_see_the_picture_alone(host: SimpleNamespace, sd15: Any) -> None:
    """Those that cache the model's output from step to step would take the reference for a step."""
    shapes, names = [], set()

    def around_model(executor: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        shapes.append(tuple(x.shape[-2:]))
        return executor(x, *args, **kwargs)

    def around_call(executor: Any, *args: Any, **kwargs: Any) -> Any:
        output = executor(*args, **kwargs)
        names.update(args[5])  # transformer_options
        return output

    wrapped = sd15.clone()
    wrapped.add_wrapper("diffusion_model", around_model)
    wrapped.add_wrapper("apply_model", around_call)
    run(host, refer(host, wrapped, picture(6, 10)), steps=2)
    assert shapes == [(8, 8)] * 2
    assert "cond_or_uncond" in names
    assert "avatarforge_call" not in names


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
