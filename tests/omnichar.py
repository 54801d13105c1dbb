"""OmniChar files by hand, and a stand-in for the package that reads them: the few calls that AvatarForge
makes, with their results. Tests run with the package itself, too, where it is installed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from archives import packed

ID = "44444444-4444-4444-8444-444444444444"


def manifest_of(references: Sequence[tuple[str, str]], loras: Sequence[str], **changes: Any) -> bytes:
    """`references` are names of members and their roles, of which "" is left out."""
    manifest = {
        "magic": "INLINECHAR",
        "format_version": 1,
        "char_id": ID,
        "name": "Mira",
        "modified_at": 1_760_000_000,
        "refs": [
            {"path": path, "width": 64, "height": 64, **({"role": role} if role else {})}
            for path, role in references
        ],
        "text": {"path": "text/description.md"},
        "payloads": {
            f"arch{number}-lora": {"type": "lora", "files": [{"path": f"payloads/{name}"}]}
            for number, name in enumerate(loras)
        },
        **changes,
    }
    return json.dumps(manifest, separators=(",", ":")).encode()


def char_file(
    *pictures: tuple[bytes, str],
    description: str | bytes = "A knight of the north.",
    loras: Sequence[str] = (),
    **changes: Any,
) -> bytes:
    """A file with these pictures and their roles. `changes` are of its manifest."""
    files = {f"refs/{number:03d}.png": data for number, (data, _) in enumerate(pictures)}
    listed = [(path, role) for path, (_, role) in zip(files, pictures, strict=True)]
    text = description.encode() if isinstance(description, str) else description
    weights = {f"payloads/{name}": b"\x02\0\0\0\0\0\0\0{}" for name in loras}
    members = {
        "manifest.json": manifest_of(listed, loras, **changes),
        **files,
        "text/description.md": text,
        **weights,
    }
    return packed(members, deflate=True)


class StandIn:
    """`omnichar_sdk.Character`."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            self._manifest = json.loads(archive.read("manifest.json"))
            if self._manifest["magic"] != "INLINECHAR":
                raise ValueError(f"{path.name} has no signature")
            member = self._manifest["text"].get("path")
            self._description = archive.read(member).decode(errors="replace") if member else ""
        names = ("name", "char_id", "modified_at", "text", "payloads")
        self.manifest = SimpleNamespace(**{name: self._manifest[name] for name in names})

    @classmethod
    def open(cls, path: Path) -> StandIn:
        return cls(path)

    def get_description(self) -> str:
        return self._description

    def get_references(self, *, limit: int) -> list[SimpleNamespace]:
        listed = self._manifest["refs"][:limit]
        return [SimpleNamespace(path=item["path"], role=item.get("role") or "face") for item in listed]

    def get_lora_archs(self) -> list[str]:
        return [name.removesuffix("-lora") for name in self._manifest["payloads"]]


MODULE = SimpleNamespace(Character=StandIn, payload_key=lambda arch, kind: f"{arch}-{kind}")
