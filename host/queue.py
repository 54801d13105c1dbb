"""Uses ComfyUI's execution queue directly, without a network request.

Submission follows `post_prompt` in ComfyUI's server.py: on-prompt handlers, node replacement, validation,
then a 6-tuple is put into the queue.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import execution
import nodes
from comfy.cli_args import LatentPreviewMethod, args
from server import PromptServer

from ..forge.errors import PromptRefusedError, UnavailableError
from ..forge.ports import CheckedPrompt, Prompt, PromptEvent, QueueState
from .events import EventSocket, cleaned, failed
from .refusals import missing_models, missing_nodes, node_problems, reason_of
from .server_folders import server_folders
from .worker import PromptWorker

_PROMPT_ID = 1  # index of the prompt_id in ComfyUI's queue tuples
STOPPED = (
    "ComfyUI's worker thread ended, so it runs nothing any more. Restart ComfyUI, then send "
    "POST /generations/{id}/retry for each generation that failed of it."
)
NOT_TAKEN = (
    "ComfyUI did not take the prompt into its queue, so nothing was queued. Try again; its log may say why."
)
NO_PROMPT = (
    "ComfyUI refused the prompt. Another pack's on-prompt handler returned none; its log may say which."
)

log = logging.getLogger("avatarforge")


class ComfyQueue:
    """AvatarForge's access to ComfyUI's queue. Constructed in a thread; all methods run on the event loop."""

    def __init__(self, server: PromptServer) -> None:
        self._server = server
        self._client_id = f"avatarforge-{uuid.uuid4()}"
        self._worker = PromptWorker()
        self._folders = server_folders()
        self.events = EventSocket(self._folders)
        server.sockets[self._client_id] = self.events
        # With this flag, previews name their prompt and node.
        server.sockets_metadata[self._client_id] = {"feature_flags": {"supports_preview_metadata": True}}
        # Read it before any prompt overrides it: the method that this ComfyUI was started with.
        self._previews_on = args.preview_method != LatentPreviewMethod.NoPreviews

    async def check(self, prompt_id: str, prompt: Prompt) -> CheckedPrompt:
        """Have ComfyUI validate a prompt. Raises PromptRefusedError."""
        body: dict[str, Any] = {
            "prompt": prompt,
            "prompt_id": prompt_id,
            "client_id": self._client_id,
            "extra_data": {},
        }
        body = self._server.trigger_on_prompt(body)
        if not isinstance(body, dict) or not isinstance(body.get("prompt"), dict):
            raise PromptRefusedError(NO_PROMPT)
        prompt = body["prompt"]
        self._server.node_replace_manager.apply_replacements(prompt)
        await self._require_nodes(prompt_id, prompt)
        # By position, as ComfyUI reads it: some versions return more.
        validated = await execution.validate_prompt(prompt_id, prompt, None)
        valid, error, outputs, node_errors = validated[:4]
        if not valid or node_errors:
            # With a valid output beside an invalid one, ComfyUI would run a part of the prompt.
            problems = node_problems(prompt, node_errors, self._folders)
            raise PromptRefusedError(_refusal(error, node_errors, self._folders), problems)
        return CheckedPrompt(prompt_id, (prompt, dict(body.get("extra_data") or {}), outputs), prompt)

    async def _require_nodes(self, prompt_id: str, prompt: Prompt) -> None:
        """Name every missing node, and every missing model of the others: ComfyUI's own validation ends at
        the first node that it does not know. Raises PromptRefusedError."""
        missing = missing_nodes(prompt, nodes.NODE_CLASS_MAPPINGS)
        if missing:
            models = await missing_models(prompt_id, prompt, missing, self._folders)
            sentences = " ".join(problem.detail for problem in (*missing, *models))
            raise PromptRefusedError(
                cleaned(f"ComfyUI refused the prompt. {sentences}", self._folders), (*missing, *models)
            )

    def enqueue(self, checked: CheckedPrompt) -> None:
        """Put a checked prompt into the queue. Raises UnavailableError; then the prompt is not queued."""
        prompt, extra_data, outputs = checked.ticket
        sensitive = {
            key: extra_data.pop(key) for key in execution.SENSITIVE_EXTRA_DATA_KEYS if key in extra_data
        }
        extra_data["client_id"] = self._client_id
        if not self._previews_on:
            # For this prompt only: ComfyUI resets the method for each one (execution.py: `execute_async`).
            extra_data["preview_method"] = LatentPreviewMethod.Latent2RGB.value
        extra_data["create_time"] = int(time.time() * 1000)
        number = self._server.number
        self._server.number += 1
        item = (number, checked.prompt_id, prompt, extra_data, outputs, sensitive)
        try:
            accepted = self._server.prompt_queue.put(item)
        except Exception as error:  # another pack's `put` may raise, even after ComfyUI's has accepted it
            log.exception("AvatarForge: ComfyUI's queue failed to accept prompt %s", checked.prompt_id)
            self.cancel(checked.prompt_id)
            raise UnavailableError(NOT_TAKEN, code="queue_refused") from error
        # Versions of ComfyUI whose `put` cannot refuse return None.
        if accepted is False:
            log.warning("AvatarForge: ComfyUI's queue refused prompt %s", checked.prompt_id)
            raise UnavailableError(NOT_TAKEN, code="queue_refused")

    def cancel(self, prompt_id: str) -> None:
        """Remove a prompt from the queue, or interrupt it if it is running."""
        queue = self._server.prompt_queue
        if queue.delete_queue_item(lambda item: item[_PROMPT_ID] == prompt_id):
            return
        if hasattr(queue, "interrupt_if_running"):
            queue.interrupt_if_running(prompt_id)
        elif prompt_id in self.state().running:  # ComfyUI before 0.2x had no atomic way
            nodes.interrupt_processing()

    def state(self) -> QueueState:
        running, waiting = self._server.prompt_queue.get_current_queue_volatile()
        return QueueState(
            tuple(item[_PROMPT_ID] for item in sorted(waiting, key=lambda item: item[0])),
            frozenset(item[_PROMPT_ID] for item in running),
        )

    def verdict(self, prompt_id: str) -> PromptEvent | None:
        """How a prompt ended, from ComfyUI's history or its last events. None if it has not ended."""
        seen = self.events.verdict_of(prompt_id)
        if seen is not None and seen.kind == "failed":
            return seen  # the history calls a prompt a success in which a node lacked its input
        history = self._server.prompt_queue.get_history(
            prompt_id=prompt_id, map_function=lambda entry: entry.get("status")
        )
        if prompt_id not in history:
            return seen  # the history may have been cleared before the prompt's last message arrived
        status = history[prompt_id] or {}
        messages = dict(status.get("messages") or [])
        if status.get("status_str") == "success":
            return PromptEvent("succeeded", prompt_id)
        if "execution_interrupted" in messages:
            return PromptEvent("interrupted", prompt_id)
        return failed(prompt_id, messages.get("execution_error", {}), self._folders)

    def stopped(self) -> str | None:
        return STOPPED if self._worker.ended() else None


def _refusal(error: object, node_errors: object, folders: Sequence[str]) -> str:
    """Why `validate_prompt` refused, as a sentence made from its `error` and `node_errors`."""
    reasons = []
    if isinstance(node_errors, Mapping):
        for node_id, failure in node_errors.items():
            node = f"{failure.get('class_type', 'A node')} (node {node_id})"
            reasons += [f"{node}: {reason_of(problem)}" for problem in failure.get("errors") or ()]
    if not reasons and error:
        reasons = [reason_of(error) if isinstance(error, Mapping) else str(error)]
    return cleaned(f"ComfyUI refused the prompt. {' '.join(reasons)}".strip(), folders)
