"""The text encoders and the VAE for a model that has none in its own file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..families.family import Family
from ..model_names import words_of
from ..ports import InstalledModels, ModelFile, PartFile

# Small enough for most cards, so they come first; the full files are for those who have nothing else.
_SMALL = re.compile(r"fp8|int8|q8|q6|q5|q4|nvfp4|mixed")


@dataclass(frozen=True)
class ModelParts:
    """The names of the files that load a model, besides its own. Empty for a whole checkpoint."""

    text_encoders: tuple[str, ...] = ()
    vae: str | None = None


@dataclass(frozen=True)
class MissingPart:
    """A part that is not installed. `kind` is an `EncoderKind` or a `VaeKind`, `folder` is under `models`."""

    kind: str
    folder: str


def find_parts(
    installed: InstalledModels, model: ModelFile, family: Family
) -> tuple[ModelParts, tuple[MissingPart, ...]]:
    """The parts that are installed for a model, and those that are missing."""
    if model.folder == "checkpoints" or family.parts is None:
        return ModelParts(), ()
    missing: list[MissingPart] = []
    encoders = []
    for kind in family.parts.encoders:
        encoder = _best(installed.text_encoders, kind, None)
        if encoder is None:
            missing.append(MissingPart(kind, "text_encoders"))
        else:
            encoders.append(encoder.name)
    vae = _best(installed.vaes, family.parts.vae, family.parts.vae_names)
    if vae is None:
        missing.append(MissingPart(family.parts.vae, "vae"))
    return ModelParts(tuple(encoders), vae.name if vae else None), tuple(missing)


def _best(parts: Sequence[PartFile], kind: str, preferred: str | None) -> PartFile | None:
    usable = [part for part in parts if part.kind == kind and not part.problem]
    return max(usable, key=lambda part: _rank(part, preferred), default=None)


def _rank(part: PartFile, preferred: str | None) -> tuple[bool, bool, bool]:
    words = words_of(part.name)
    return (
        bool(preferred and re.search(preferred, words)),
        not part.name.lower().endswith(".gguf"),
        bool(part.precision or _SMALL.search(part.name.lower())),
    )
