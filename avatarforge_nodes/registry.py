"""Gives nodes access to the services: ComfyUI creates the nodes, so services cannot be passed in.

`bootstrap` fills the registry when the pack is loaded; nothing else writes to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..forge.errors import UnavailableError

if TYPE_CHECKING:  # these modules need SQLAlchemy; the nodes load in the editor without it
    from ..forge.characters.service import CharacterService
    from ..forge.generations.recorder import GenerationRecorder
    from ..forge.poses.service import PoseLibrary
    from ..forge.store.files import FileStore


@dataclass
class Registry:
    files: FileStore | None = None
    recorder: GenerationRecorder | None = None
    poses: PoseLibrary | None = None
    characters: CharacterService | None = None
    reason: str = "AvatarForge is not loaded."


registry = Registry()


def stored_files() -> FileStore:
    """The file store. Raises UnavailableError with the reason if the pack could not start."""
    if registry.files is None:
        raise UnavailableError(registry.reason)
    return registry.files


def pose_library() -> PoseLibrary:
    """The pose library. Raises UnavailableError like `stored_files`."""
    if registry.poses is None:
        raise UnavailableError(registry.reason)
    return registry.poses


def saved_characters() -> CharacterService:
    """The saved characters. Raises UnavailableError like `stored_files`."""
    if registry.characters is None:
        raise UnavailableError(registry.reason)
    return registry.characters


def recorder() -> GenerationRecorder:
    """The recorder of saved pictures. Raises UnavailableError like `stored_files`."""
    if registry.recorder is None:
        raise UnavailableError(registry.reason)
    return registry.recorder
