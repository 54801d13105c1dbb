"""Sends previews of every row of a batch. ComfyUI's own samplers show only the first (latent_preview.py)."""

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
EVERY_SECONDS = 0.3  # more previews would only slow down sampling
LARGEST = 256  # pixels of the longer side
QUALITY = 85
_CALLBACK = 5  # position in (noise, latent, sampler, sigmas, denoise_mask, callback, ...)


def preview_views(model: Any) -> Any:
    """A clone of the model that sends AvatarForge previews of each row while it samples. The result of
    sampling is unchanged. It does nothing in graphs of other clients, or if previews are off."""
    model = model.clone()
    model.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, KEY, _sample)
    return model


def _sample(executor: Any, *args: Any, **kwargs: Any) -> Any:
    """Wraps `CFGGuider.outer_sample`, whose callback gets each step's denoised latents."""
    # ComfyUI's nodes can also be run by a program without a server.
    server, context = getattr(PromptServer, "instance", None), get_executing_context()
    socket = server.sockets.get(server.client_id) if server is not None else None
    callback = args[_CALLBACK] if len(args) > _CALLBACK else None
    if isinstance(socket, EventSocket) and context is not None and callback is not None:
        patcher = executor.class_obj.model_patcher
        previewer = latent_preview.get_previewer(patcher.load_device, patcher.model.latent_format)
        if previewer is not None:
            rows = _Rows(callback, previewer, server, socket, context)
            args = (*args[:_CALLBACK], rows, *args[_CALLBACK + 1 :])
    return executor(*args, **kwargs)


class _Rows:
    """A sampler callback that also sends previews of the rows after the first."""

    def __init__(
        self, callback: Any, previewer: Any, server: PromptServer, socket: EventSocket, context: Any
    ) -> None:
        self._callback = callback
        self._previewer = previewer
        self._server = server
        self._socket = socket
        self._context = context
        self._sent_at = 0.0

    def __call__(self, step: int, denoised: Any, *rest: Any) -> None:
        self._callback(step, denoised, *rest)
        if time.monotonic() - self._sent_at < EVERY_SECONDS or not isinstance(denoised, torch.Tensor):
            return
        self._sent_at = time.monotonic()
        for row in range(1, len(denoised)):
            _, picture, _ = self._previewer.decode_latent_to_preview_image("JPEG", denoised[row : row + 1])
            content = io.BytesIO()
            ImageOps.contain(picture, (LARGEST, LARGEST)).save(content, "JPEG", quality=QUALITY)
            preview = PreviewPicture(
                str(self._context.prompt_id), str(self._context.node_id), row, content.getvalue()
            )
            self._server.loop.call_soon_threadsafe(self._socket.show, preview)
