"""ComfyUI's execution events, received the way a browser receives them.

ComfyUI sends every event of a prompt to the websocket registered under the prompt's `client_id`
(server.py: `PromptServer.send_json`). So AvatarForge registers a socket that is not a network
connection but this object: nothing of ComfyUI is patched, and no browser sees our events.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..forge.ports import PreviewPicture, PromptEvent, PromptProgress
from ..forge.server_paths import without_folders
from .progress import preview_of, progress_of

LONGEST_MESSAGE = 4000  # characters of a node's message that a client gets

log = logging.getLogger("avatarforge")


def failed(prompt_id: str, data: Mapping[str, Any], folders: Sequence[str] = ()) -> PromptEvent:
    """What an `execution_error` message tells: which node, what it said, and of which type that was.

    `folders` are those of this server, to be cut from what it said.
    """
    node = f"{data.get('node_type', 'A node')} (node {data.get('node_id', '?')})"
    kind = str(data.get("exception_type") or "")
    said = _message(data.get("exception_message"), kind, folders)
    reason = f"{node}: {kind or 'an error without a type'}"
    return PromptEvent("failed", prompt_id, error=f"{node}: {said}", reason=reason)


def _message(given: object, kind: str, folders: Sequence[str]) -> str:
    said = "" if given is None else str(given).strip()
    # ComfyUI names a pack's exceptions by its module, and a pack's module by the path of its folder.
    name = kind.rpartition(".")[2]
    if said in ("", "None"):
        return f"{name or 'an exception'} without a message"
    if name and len(said.split()) == 1:  # such as the 'key' of a KeyError
        said = f"{name}: {said}"
    return shown(said, folders)


def shown(said: str, folders: Sequence[str]) -> str:
    """What other code said, as a client gets it: without folders of this server, and bounded."""
    said = without_folders(said, folders)
    return said if len(said) <= LONGEST_MESSAGE else f"{said[:LONGEST_MESSAGE]}…"


class EventSocket:
    """Stands where ComfyUI keeps its websockets. ComfyUI awaits `send_json` and `send_bytes` in the
    loop that serves every browser, so neither may wait or raise."""

    closed = False

    def __init__(self, folders: Sequence[str] = ()) -> None:
        """`folders` are those of this server, which no message may carry to a client."""
        self._folders = folders
        self._listeners: list[Callable[[PromptEvent], None]] = []
        self._watchers: list[Callable[[PromptProgress | PreviewPicture], None]] = []
        self._ended: dict[str, PromptEvent] = {}

    def listen(self, listener: Callable[[PromptEvent], None]) -> None:
        self._listeners.append(listener)

    def verdict_of(self, prompt_id: str) -> PromptEvent | None:
        """How a prompt ended that ComfyUI has not told to be in its history yet; None where unknown."""
        return self._ended.get(prompt_id)

    def watch(self, watcher: Callable[[PromptProgress | PreviewPicture], None]) -> None:
        self._watchers.append(watcher)

    def show(self, told: PromptProgress | PreviewPicture | None) -> None:
        """Tell what is no event: a moment of a run, which the next one replaces."""
        if told is not None:
            for watcher in self._watchers:
                watcher(told)

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
            pictures = (data.get("output") or {}).get("images") or ()
            self._publish(
                PromptEvent("saved", prompt_id, filenames=tuple(one["filename"] for one in pictures))
            )
        elif kind == "execution_success":
            self._ended[prompt_id] = PromptEvent("succeeded", prompt_id)
        elif kind == "execution_error":
            self._ended[prompt_id] = failed(prompt_id, data, self._folders)
        elif kind == "execution_interrupted":
            self._ended[prompt_id] = PromptEvent("interrupted", prompt_id)
        elif kind == "executing" and data.get("node") is None:
            # ComfyUI's last word on a prompt: it is in the history now.
            ended = self._ended.pop(prompt_id, None)
            if ended is not None:
                self._publish(ended)

    def _publish(self, event: PromptEvent) -> None:
        for listener in self._listeners:
            listener(event)
