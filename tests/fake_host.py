"""A fake ComfyUI that tests control. It makes tests of other code fast; it proves no feature."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pictures import picture

from avatarforge.forge.errors import NodeProblem, PromptRefusedError, UnavailableError
from avatarforge.forge.model_overrides import ModelOverrides, with_overrides
from avatarforge.forge.ports import (
    CheckedPrompt,
    InstalledModels,
    ModelFile,
    PreviewPicture,
    Prompt,
    PromptEvent,
    PromptProgress,
    QueueState,
)
from avatarforge.forge.spec.outputs import output_name

ALL_INSTALLED = InstalledModels(
    checkpoints=(
        ModelFile("anime-sd15.safetensors", "sd15"),
        ModelFile("realistic-sd15.safetensors", "sd15"),
    ),
    controlnets=(ModelFile("openpose-sd15.safetensors", "sd15"),),
    samplers=("euler", "dpmpp_2m"),
    schedulers=("normal", "karras"),
    embeddings=("easynegative.safetensors",),
)


class FakeHost:
    url = "http://127.0.0.1:8188"

    def __init__(self, folder: Path) -> None:
        self.output_folder = folder / "output" / "avatarforge"
        self.installed = replace(ALL_INSTALLED)  # it remembers answers, which tests must not share
        self.overrides = ModelOverrides(folder)
        self.roomy = True
        self.refusal: str | None = None
        self.problems: tuple[NodeProblem, ...] = ()
        self.not_taken: Callable[[str], str | None] = lambda prompt_id: None
        self.queued: list[str] = []
        self.running: set[str] = set()
        self.history: dict[str, PromptEvent] = {}
        self.prompts: dict[str, Prompt] = {}
        self.submitted: list[str] = []
        self.pictures = 0
        #: The bytes of a picture that a save node writes, by its number.
        self.paint: Callable[[int], bytes] = picture
        #: `GenerationRecorder.take_of`, which the save node asks.
        self.take_of: Callable[[str, int, str], int] = lambda generation_id, position, prompt_id: 1
        self.dead: str | None = None
        self._listeners: list[Callable[[PromptEvent], None]] = []
        self._watchers: list[Callable[[PromptProgress | PreviewPicture], None]] = []

    async def installed_models(self, *, fresh: bool = True) -> InstalledModels:
        return with_overrides(self.installed, self.overrides.load())

    async def batch_fits(self, folder: str, name: str, width: int, height: int, count: int) -> bool:
        return self.roomy

    async def check(self, prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        if self.refusal:
            raise PromptRefusedError(self.refusal, self.problems)
        return CheckedPrompt(prompt_id, copy.deepcopy(prompt), prompt)

    def enqueue(self, checked: CheckedPrompt) -> None:
        if reason := self.not_taken(checked.prompt_id):
            raise UnavailableError(reason, code="queue_refused")
        self.prompts[checked.prompt_id] = checked.ticket
        self.submitted.append(checked.prompt_id)
        self.queued.append(checked.prompt_id)
        self.tell(PromptEvent("queue_changed"))

    def cancel(self, prompt_id: str) -> None:
        if prompt_id in self.queued:
            self.drop(prompt_id)
        elif prompt_id in self.running and not self.dead:
            self.end(PromptEvent("interrupted", prompt_id))

    def queue_state(self) -> QueueState:
        return QueueState(tuple(self.queued), frozenset(self.running))

    def verdict(self, prompt_id: str) -> PromptEvent | None:
        return self.history.get(prompt_id)

    def stopped(self) -> str | None:
        return self.dead

    def listen(self, listener: Callable[[PromptEvent], None]) -> None:
        self._listeners.append(listener)

    def watch(self, watcher: Callable[[PromptProgress | PreviewPicture], None]) -> None:
        self._watchers.append(watcher)

    async def system_stats(self) -> Mapping[str, Any]:
        return {"system": {"comfyui_version": "0.30.0"}, "devices": []}

    def with_overrides(self, _: object, overrides: ModelOverrides) -> FakeHost:
        """As the real host is made: with the user's overrides."""
        self.overrides = overrides
        return self

    # Called by tests to simulate ComfyUI:

    def tell(self, event: PromptEvent) -> None:
        for listener in self._listeners:
            listener(event)

    def show(self, update: PromptProgress | PreviewPicture) -> None:
        for watcher in self._watchers:
            watcher(update)

    def drop(self, prompt_id: str) -> None:
        """Remove a prompt from the queue, as a user can."""
        self.queued.remove(prompt_id)
        self.tell(PromptEvent("queue_changed"))

    def start(self, prompt_id: str) -> None:
        self.queued.remove(prompt_id)
        self.running.add(prompt_id)
        self.tell(PromptEvent("started", prompt_id))

    def save(self, prompt_id: str) -> None:
        """Write the pictures that the prompt's save nodes would write."""
        for node in self.prompts[prompt_id].values():
            if node["class_type"] == "AvatarForgeSave":
                generation_id, position = node["inputs"]["generation_id"], node["inputs"]["position"] - 1
                folder = self.output_folder / generation_id
                folder.mkdir(parents=True, exist_ok=True)
                name = output_name(position, self.take_of(generation_id, position, prompt_id))
                self.pictures += 1
                (folder / name).write_bytes(self.paint(self.pictures))
                self.tell(PromptEvent("saved", prompt_id, filenames=(name,)))

    def end(self, event: PromptEvent, *, silently: bool = False) -> None:
        self.running.discard(event.prompt_id)
        self.history[event.prompt_id] = event
        if not silently:
            self.tell(event)

    def succeed(self, prompt_id: str) -> None:
        self.start(prompt_id)
        self.save(prompt_id)
        self.end(PromptEvent("succeeded", prompt_id))
