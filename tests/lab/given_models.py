"""Puts model files that a user names into the folders where they belong, as the pack recognises them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .client import PREFIX, Client
from .links import unlink
from .progress import LabError
from .server import ComfyServer

#: Folders under ``models/``, the first that takes a file wins.
FOLDERS = (
    "checkpoints",
    "diffusion_models",
    "text_encoders",
    "vae",
    "loras",
    "controlnet",
    "model_patches",
)
MODEL_FOLDERS = FOLDERS[:2]


def place_models(server: ComfyServer, client: Client, files: Sequence[Path]) -> str | None:
    """Link each file into its folder. Returns the name of the model among them, None if there is none.

    The pack decides what each is: every file is offered in every folder, and taken out of those where it is
    nothing. Raises LabError for a file that is nothing anywhere.
    """
    names = {file: _name_of(file) for file in files}
    for file, name in names.items():
        for folder in FOLDERS:
            server.add_model(f"{folder}/{name}", file)
    found = choose_folders(client.get(f"{PREFIX}/models"), list(names.values()))
    for file, name in names.items():
        for folder in FOLDERS:
            if folder != found.get(name):
                unlink(server.base / "models" / folder / name)
        if name not in found:
            raise LabError(f"{file} is no model that AvatarForge knows. docs/models.md lists what it knows.")
    models = [name for name in names.values() if found[name] in MODEL_FOLDERS]
    if len(models) > 1:
        raise LabError(
            f"Name one model, besides its text encoders, VAE and LoRAs. Given: {', '.join(models)}."
        )
    return models[0] if models else None


def choose_folders(answer: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    """Name -> the first folder in which ``GET /models`` knows the file."""
    entries = [*answer["models"], *answer["parts"]]
    known = {
        (entry["folder"], entry["name"])
        for entry in entries
        if not entry["problem"] and (entry.get("family") or entry.get("kind"))
    }
    return {name: folder for name in names for folder in reversed(FOLDERS) if (folder, name) in known}


def _name_of(file: Path) -> str:
    """The pack recognises a ControlNet or patch for poses by its name."""
    controls = ("control", "lllite", "t2i", "adapter")
    is_control = any(word in file.name.lower() for word in controls)
    return f"openpose-{file.name}" if is_control and "pose" not in file.name.lower() else file.name
