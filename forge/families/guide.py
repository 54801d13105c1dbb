"""Which model to start with, by the memory of the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import MODEL_FAMILIES
from .catalogue import Download, download_for

#: Gigabytes by which a card may report less than it is sold with.
TOLERANCE = 0.75


@dataclass(frozen=True)
class GuideChoice:
    """A model to start with. `memory`: gigabytes (2^30 bytes) of GPU memory with which it runs without being
    moved in and out for every picture; with less, ComfyUI moves parts of it, and a picture takes longer."""

    family: str
    memory: int
    variant: str | None = None

    @property
    def label(self) -> str:
        """The family, with its variant if there are several."""
        family = MODEL_FAMILIES[self.family]
        chosen = next((item for item in family.variants if item.name == self.variant), family.variants[0])
        named = len(family.variants) > 1 and chosen.name != "base"
        return f"{family.label} {chosen.label}" if named else family.label

    @property
    def files(self) -> tuple[tuple[str, Download], ...]:
        """What to download, each with its use: model, encoder, vae or pose."""
        return tuple(dict.fromkeys(self._files()))

    def fits(self, memory: float) -> bool:
        """Whether a GPU with this memory has room for it."""
        return memory + TOLERANCE >= self.memory

    def _files(self) -> Iterator[tuple[str, Download]]:
        model = download_for(self.family, "model", self.variant)
        if model is None:
            raise ValueError(f"The catalogue has no model of {self.family} {self.variant}.")
        yield "model", model
        parts = MODEL_FAMILIES[self.family].variant(self.variant).parts
        if parts is not None and model.folder != "checkpoints":
            for kind in parts.encoders:
                yield from _known("encoder", download_for(None, kind))
            yield from _known("vae", download_for(None, parts.vae))
        yield from _known("pose", download_for(self.family, "pose", self.variant))


def _known(use: str, download: Download | None) -> Iterator[tuple[str, Download]]:
    if download is not None:
        yield use, download


#: The smallest first. The memory is that of the largest file that has to be there at one time, with room for
#: the picture.
CHOICES: tuple[GuideChoice, ...] = (
    GuideChoice("sd15", 4),
    GuideChoice("anima", 6),
    GuideChoice("sdxl", 8),
    GuideChoice("flux2", 12),
    GuideChoice("z_image", 16),
    GuideChoice("qwen_edit", 24, "2511"),
)
