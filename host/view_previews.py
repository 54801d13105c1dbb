"""Sends previews of every row of a batch. ComfyUI's own samplers show only the first (latent_preview.py)."""

from __future__ import annotations

import io
import time
from typing import Any

import latent_preview
import torch
from comfy.patcher_extension import WrappersMP
from comfy_execution.utils import get_executing_context
from PIL import Image, ImageOps
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
    previews = RowPreviews.of_running_prompt()
    callback = args[_CALLBACK] if len(args) > _CALLBACK else None
    if previews is not None and callback is not None:
        patcher = executor.class_obj.model_patcher
        previewer = latent_preview.get_previewer(patcher.load_device, patcher.model.latent_format)
        if previewer is not None:
            rows = _Rows(callback, previewer, previews)
            args = (*args[:_CALLBACK], rows, *args[_CALLBACK + 1 :])
    return executor(*args, **kwargs)


class RowPreviews:
    """Sends AvatarForge previews of rows of the running node."""

    def __init__(self, server: PromptServer, socket: EventSocket, context: Any) -> None:
        self._server = server
        self._socket = socket
        self._context = context

    @classmethod
    def of_running_prompt(cls) -> RowPreviews | None:
        """None in graphs of other clients."""
        # ComfyUI's nodes can also be run by a program without a server.
        server, context = getattr(PromptServer, "instance", None), get_executing_context()
        socket = server.sockets.get(server.client_id) if server is not None else None
        if server is None or context is None or not isinstance(socket, EventSocket):
            return None
        return cls(server, socket, context)

    def show(self, row: int, picture: Image.Image) -> None:
        """Send the picture of a row, scaled down to LARGEST pixels."""
        content = io.BytesIO()
        ImageOps.contain(picture, (LARGEST, LARGEST)).save(content, "JPEG", quality=QUALITY)
        preview = PreviewPicture(
            str(self._context.prompt_id), str(self._context.node_id), row, content.getvalue()
        )
        self._server.loop.call_soon_threadsafe(self._socket.show, preview)


class _Rows:
    """A sampler callback that also sends previews of the rows after the first."""

    def __init__(self, callback: Any, previewer: Any, previews: RowPreviews) -> None:
        self._callback = callback
        self._previewer = previewer
        self._previews = previews
        self._sent_at = 0.0

    def __call__(self, step: int, denoised: Any, *rest: Any) -> None:
        self._callback(step, denoised, *rest)
        if time.monotonic() - self._sent_at < EVERY_SECONDS or not isinstance(denoised, torch.Tensor):
            return
        self._sent_at = time.monotonic()
        for row in range(1, len(denoised)):
            _, picture, _ = self._previewer.decode_latent_to_preview_image("JPEG", denoised[row : row + 1])
            self._previews.show(row, picture)
