"""How nodes reach the services: ComfyUI makes the nodes itself, so nobody can hand them over.

`bootstrap` fills this in when the pack is loaded; nothing else writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..forge.errors import UnavailableError

if TYPE_CHECKING:  # they need SQLAlchemy; the nodes stay in the editor without it
    from ..forge.generations.recorder import GenerationRecorder
    from ..forge.store.files import FileStore


@dataclass
class Registry:
    files: FileStore | None = None
    recorder: GenerationRecorder | None = None
    reason: str = "AvatarForge is not loaded."


registry = Registry()


def stored_files() -> FileStore:
    """The store. Raises UnavailableError with the reason when the pack could not start."""
    if registry.files is None:
        raise UnavailableError(registry.reason)
    return registry.files


def recorder() -> GenerationRecorder:
    """What saved pictures are written down with. Raises UnavailableError likewise."""
    if registry.recorder is None:
        raise UnavailableError(registry.reason)
    return registry.recorder
