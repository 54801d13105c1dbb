"""Our self-attention beside the patches, overrides and wrappers of other packs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from attention import (
    OVERRIDE,
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


@pytest.fixture(scope="module")
def sd15(host: SimpleNamespace) -> Any:
    return make_model(host, "sd15")


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
