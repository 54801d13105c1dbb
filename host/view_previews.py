"""Previews of every row of a batch. ComfyUI's own samplers show the first one only (latent_preview.py)."""

from __future__ import annotations

import io
import time
from typing import Any

import latent_preview
import torch
from comfy.patcher_extension import WrappersMP
from comfy_execution.utils import get_executing_context
from PIL import ImageOps
from server import PromptServer

from ..forge.ports import PreviewPicture
from .events import EventSocket

KEY = "avatarforge_view_previews"
EVERY_SECONDS = 0.3  # pictures for people: more of them would only slow the sampling
LARGEST = 256  # pixels of the longer side
QUALITY = 85
_CALLBACK = 5  # noise, latent, sampler, sigmas, denoise_mask, callback, ...


def preview_views(model: Any) -> Any:
    """The model, telling AvatarForge what it has so far of each row. It changes nothing that is sampled, and
    does nothing in graphs of other clients or where no preview method is on."""
    model = model.clone()
    model.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, _sample)
    return model


def _sample(executor: Any, *given: Any, **more: Any) -> Any:
    """Stands around `CFGGuider.outer_sample`, whose callback gets each step's denoised latents."""
    # ComfyUI's nodes can also be run by a program that has no server.
    server, context = getattr(PromptServer, "instance", None), get_executing_context()
    socket = server.sockets.get(server.client_id) if server is not None else None
    callback = given[_CALLBACK] if len(given) > _CALLBACK else None
    if isinstance(socket, EventSocket) and context is not None and callback is not None:
        patcher = executor.class_obj.model_patcher
        previewer = latent_preview.get_previewer(patcher.load_device, patcher.model.latent_format)
        if previewer is not None:
            rows = _Rows(callback, previewer, server, socket, context)
            given = (*given[:_CALLBACK], rows, *given[_CALLBACK + 1 :])
    return executor(*given, **more)


class _Rows:
    """The callback of a sampler, with previews of the rows after the first."""

    def __init__(
        self, callback: Any, previewer: Any, server: PromptServer, socket: EventSocket, context: Any
    ) -> None:
        self._callback = callback
        self._previewer = previewer
        self._server = server
        self._socket = socket
        self._context = context
        self._shown = 0.0

    def __call__(self, step: int, denoised: Any, *rest: Any) -> None:
        self._callback(step, denoised, *rest)
        if time.monotonic() - self._shown < EVERY_SECONDS or not isinstance(denoised, torch.Tensor):
            return
        self._shown = time.monotonic()
        for row in range(1, len(denoised)):
            _, picture, _ = self._previewer.decode_latent_to_preview_image("JPEG", denoised[row : row + 1])
            content = io.BytesIO()
            ImageOps.contain(picture, (LARGEST, LARGEST)).save(content, "JPEG", quality=QUALITY)
            told = PreviewPicture(
                str(self._context.prompt_id), str(self._context.node_id), row, content.getvalue()
            )
            self._server.loop.call_soon_threadsafe(self._socket.show, told)
