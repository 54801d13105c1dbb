"""Previews of every row of a batch, for latents of each shape."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from attention import comfyui_in_this_process
from PIL import Image
from transformers_attention import draw, make_transformer

from lab.host import ComfyUI


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


@pytest.mark.parametrize("name", ["flux", "flux2", "qwen_image", "krea2", "z_image", "anima"])
def test_every_row_after_the_first_is_shown(
    host: SimpleNamespace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import latent_preview
    from comfy.cli_args import LatentPreviewMethod

    module, shown = host.view_previews, []

    class Socket(module.EventSocket):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            pass

        def show(self, preview: Any) -> None:
            shown.append(preview)

    loop = SimpleNamespace(call_soon_threadsafe=lambda call, *args: call(*args))
    server = SimpleNamespace(sockets={"us": Socket()}, client_id="us", loop=loop)
    context = SimpleNamespace(prompt_id="prompt", node_id="7")
    monkeypatch.setattr(module, "PromptServer", SimpleNamespace(instance=server))
    monkeypatch.setattr(module, "get_executing_context", lambda: context)
    monkeypatch.setattr(module, "EVERY_SECONDS", 0)
    monkeypatch.setattr(latent_preview.args, "preview_method", LatentPreviewMethod.Auto)
    model = module.preview_views(make_transformer(host, name))
    draw(host, name, model, views=3, steps=2, cfg=1.0, callback=lambda *_: None)
    assert [preview.row for preview in shown] == [1, 2] * 2
    for preview in shown:
        with Image.open(io.BytesIO(preview.jpeg)) as picture:
            assert picture.format == "JPEG"
            assert max(picture.size) == module.LARGEST
    assert len({preview.jpeg for preview in shown}) == 4
