"""Receives ComfyUI's execution events like a browser does.

ComfyUI sends every event of a prompt to the websocket registered under the prompt's `client_id` (server.py:
`PromptServer.send_json`). AvatarForge registers an object in place of a websocket, so nothing of ComfyUI is
patched, and browsers do not get its events.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..forge.ports import PreviewPicture, PromptEvent, PromptProgress
from ..forge.server_paths import without_folders
from .progress import preview_of, progress_of

LONGEST_MESSAGE = 4000  # characters of a node's message that clients get

log = logging.getLogger("avatarforge")


def failed(prompt_id: str, data: Mapping[str, Any], folders: Sequence[str] = ()) -> PromptEvent:
    """The event of an `execution_error` message: which node failed, with which message and exception type.

    `folders` are this server's folders, which are removed from the message.
    """
    node = f"{data.get('node_type', 'A node')} (node {data.get('node_id', '?')})"
    kind = str(data.get("exception_type") or "")
    message = _message(data.get("exception_message"), kind, folders)
    reason = f"{node}: {kind or 'an error without a type'}"
    return PromptEvent("failed", prompt_id, error=f"{node}: {message}", reason=reason)


def _message(raw: object, kind: str, folders: Sequence[str]) -> str:
    message = "" if raw is None else str(raw).strip()
    # ComfyUI qualifies a pack's exception with its module, which is named after the path of the pack's
    # folder.
    name = kind.rpartition(".")[2]
    if message in ("", "None"):
        return f"{name or 'an exception'} without a message"
    if name and len(message.split()) == 1:  # such as the 'key' of a KeyError
        message = f"{name}: {message}"
    return cleaned(message, folders)


def cleaned(message: str, folders: Sequence[str]) -> str:
    """A message of other code for clients: without folders of this server, and limited in length."""
    message = without_folders(message, folders)
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"


def _filenames(output: object) -> tuple[str, ...]:
    """The pictures of an `executed` message. Nodes of other packs send what they like."""
    images = output.get("images") if isinstance(output, Mapping) else None
    listed = images if isinstance(images, (list, tuple)) else ()
    names = (image.get("filename") for image in listed if isinstance(image, Mapping))
    return tuple(name for name in names if isinstance(name, str))


class EventSocket:
    """Registered with ComfyUI in place of a websocket. ComfyUI awaits `send_json` and `send_bytes` in the
    loop that serves every browser, so neither may wait or raise."""

    closed = False

    def __init__(self, folders: Sequence[str] = ()) -> None:
        """`folders` are this server's folders, which are removed from messages."""
        self._folders = folders
        self._listeners: list[Callable[[PromptEvent], None]] = []
        self._watchers: list[Callable[[PromptProgress | PreviewPicture], None]] = []
        self._ended: dict[str, PromptEvent] = {}

    def listen(self, listener: Callable[[PromptEvent], None]) -> None:
        self._listeners.append(listener)

    def verdict_of(self, prompt_id: str) -> PromptEvent | None:
        """How a prompt ended that may not be in ComfyUI's history yet; None if unknown."""
        return self._ended.get(prompt_id)

    def watch(self, watcher: Callable[[PromptProgress | PreviewPicture], None]) -> None:
        self._watchers.append(watcher)

    def show(self, update: PromptProgress | PreviewPicture | None) -> None:
        """Pass a progress update or preview to the watchers. Unlike an event, the next one replaces it."""
        if update is not None:
            for watcher in self._watchers:
                watcher(update)

    async def send_json(self, message: Mapping[str, Any], *_args: object, **_kwargs: object) -> None:
        data = message.get("data")
        if isinstance(data, Mapping):
            self._receive(str(message.get("type")), data)

    async def send_bytes(self, message: bytes, *_args: object, **_kwargs: object) -> None:
        self.show(preview_of(message))

    def _receive(self, kind: str, data: Mapping[str, Any]) -> None:
        prompt_id = str(data.get("prompt_id", ""))
        if kind == "progress_state":
            self.show(progress_of(data))
        elif kind == "status":
            self._publish(PromptEvent("queue_changed"))
        elif kind == "execution_start":
            self._publish(PromptEvent("started", prompt_id))
        elif kind == "executed":
            filenames = _filenames(data.get("output"))
            self._publish(PromptEvent("saved", prompt_id, filenames=filenames))
        elif kind == "execution_success":
            # After an error only where a node lacks its input: ComfyUI then goes on with the other nodes.
            self._ended.setdefault(prompt_id, PromptEvent("succeeded", prompt_id))
        elif kind == "execution_error":
            self._ended[prompt_id] = failed(prompt_id, data, self._folders)
        elif kind == "execution_interrupted":
            self._ended[prompt_id] = PromptEvent("interrupted", prompt_id)
        elif kind == "executing" and data.get("node") is None:
            # ComfyUI's last message about a prompt, which is in the history now.
            ended = self._ended.pop(prompt_id, None)
            if ended is not None:
                self._publish(ended)

    def _publish(self, event: PromptEvent) -> None:
        for listener in self._listeners:
            listener(event)
