"""A template as a file: for export, import, and as a starting point."""

from __future__ import annotations

import json
from typing import Any

from ..ports import Prompt
from .find import find_slots
from .saved import SavedTemplate
from .slots import Slots

FORMAT = 1


def template_file(saved: SavedTemplate) -> dict[str, Any]:
    """What `POST /templates/import` takes. It names all slots, so that they stay the same."""
    content = saved.content
    if content is None:
        raise ValueError("only a template that was read with its graph can be exported")
    workflow = json.loads(content.workflow_json) if content.workflow_json is not None else None
    return _file(saved.record.name, json.loads(content.prompt_json), workflow, saved.slots)


def file_of_graph(name: str, prompt: Prompt) -> dict[str, Any]:
    """The same for a graph that is no template yet."""
    return _file(name, prompt, None, find_slots(prompt).slots)


def _file(name: str, prompt: Prompt, workflow: Any, slots: Slots) -> dict[str, Any]:
    places = {slot: [{"node": at.node, "input": at.input} for at in found] for slot, found in slots.items()}
    return {
        "avatarforge_template": FORMAT,
        "name": name,
        "prompt": prompt,
        "workflow": workflow,
        "slots": places,
    }
