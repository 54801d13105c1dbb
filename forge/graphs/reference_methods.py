"""Ways to apply a reference picture: numbered pictures, Redux, an IPAdapter, shared attention, colours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import UnavailableError, UnprocessableError
from ..families.family import Family
from ..ports import InstalledModels
from ..spec.reference import ReferenceMethod
from .method import Method, describe_skipped, lacking

PICTURE: Final = "picture"
REDUX: Final = "redux"
IPADAPTER: Final = "ipadapter"
ATTENTION: Final = "attention"
PALETTE: Final = "palette"
#: The methods that need no file.
_OWN: tuple[ReferenceMethod, ...] = (PICTURE, ATTENTION, PALETTE)

_WEIGHTS = r"(safetensors|bin)$"
_CLIP_VISION = re.compile(r"(vit.h.14.*s32b.b79k|ipadapter.*sd15|sd1.?5.*model)\." + _WEIGHTS, re.IGNORECASE)
_CLIP_VISION_NAME = "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
_REDUX = re.compile(r"redux", re.IGNORECASE)
_REDUX_NAME = "flux1-redux-dev.safetensors"
_SIGCLIP = re.compile(r"sig.?clip", re.IGNORECASE)
_SIGCLIP_NAME = "sigclip_vision_patch14_384.safetensors"


@dataclass(frozen=True)
class ReferenceChoice:
    """A method, the files of its adapter, and the `preset` of IPAdapterUnifiedLoader that loads them."""

    method: ReferenceMethod
    model: str | None = None
    clip_vision: str | None = None
    preset: str | None = None


def reference_methods(installed: InstalledModels, family: Family) -> tuple[Method, ...]:
    """The methods of the family, best first."""
    return tuple(_method(installed, family, name) for name in family.identity)


def adapter_choice(
    installed: InstalledModels, family: Family, method: ReferenceMethod
) -> ReferenceChoice | None:
    """The files of this method for the family; None if a file or the node pack is missing."""
    if method == REDUX:
        model = _first(installed.style_models, _REDUX)
        vision = _first(installed.clip_visions, _SIGCLIP)
        return ReferenceChoice(REDUX, model, vision) if model and vision else None
    encoder = _first(installed.clip_visions, _CLIP_VISION)
    if encoder is None or not _has_ipadapter_nodes(installed):
        return None
    for preset, pattern, _ in family.ipadapters:
        model = _matching(installed.ipadapters, pattern)
        if model is not None:
            return ReferenceChoice(IPADAPTER, model, encoder, preset)
    return None


def choose_reference_method(
    installed: InstalledModels, family: Family, wanted: ReferenceMethod | None
) -> ReferenceChoice:
    """The wanted method, or the best one that works if that is None.

    Raises UnprocessableError if the family has no such method, UnavailableError if files for it are missing.
    """
    if not family.identity or (wanted is not None and wanted not in family.identity):
        known = f" It has: {', '.join(family.identity)}." if family.identity else ""
        field = "reference_method" if wanted else "reference_file_id"
        how = f"by the method {wanted!r} " if wanted else ""
        raise UnprocessableError(
            f"{family.label} cannot see a reference picture {how.strip()}".rstrip() + f".{known}",
            ("body", field),
            code="not_supported_by_family",
            parameters={"field": field, "family": family.label},
        )
    names = family.identity if wanted is None else (wanted,)
    for name in names:
        if name in _OWN:
            return ReferenceChoice(name)
        choice = adapter_choice(installed, family, name)
        if choice is not None:
            return choice
    missing = ", or ".join(str(_method(installed, family, name).missing) for name in names)
    raise UnavailableError(
        f"The reference picture cannot be applied with {family.label}. It needs {missing}.",
        code="reference_model_missing",
        parameters={"family": family.label},
    )


def _method(installed: InstalledModels, family: Family, name: ReferenceMethod) -> Method:
    if name in _OWN:
        return Method(name, True, None, None)
    choice = adapter_choice(installed, family, name)
    if choice is not None:
        return Method(name, True, choice.model, None)
    missing = _missing_redux(installed) if name == REDUX else _missing_ipadapter(installed, family)
    return lacking(name, missing)


def _missing_redux(installed: InstalledModels) -> str:
    missing = []
    if not _first(installed.style_models, _REDUX):
        missing.append(f"{_REDUX_NAME} in models/style_models")
    if not _first(installed.clip_visions, _SIGCLIP):
        missing.append(f"{_SIGCLIP_NAME} in models/clip_vision")
    return ", and ".join(missing)


def _missing_ipadapter(installed: InstalledModels, family: Family) -> str:
    wanted = family.ipadapters
    if not wanted:
        return f"an IPAdapter for {family.label}, which does not exist"
    missing = []
    if not _has_ipadapter_nodes(installed):
        missing.append("the node pack ComfyUI_IPAdapter_plus in custom_nodes")
    if not any(_matching(installed.ipadapters, pattern) for _, pattern, _ in wanted):
        names = " or ".join(name for _, _, name in wanted)
        patterns = re.compile("|".join(pattern for _, pattern, _ in wanted), re.IGNORECASE)
        skipped = describe_skipped(installed, "ipadapter", patterns)
        missing.append(f"{names} for {family.label} in models/ipadapter{skipped}")
    if not _first(installed.clip_visions, _CLIP_VISION):
        skipped = describe_skipped(installed, "clip_vision", _CLIP_VISION)
        missing.append(f"the CLIP vision model {_CLIP_VISION_NAME} in models/clip_vision{skipped}")
    return ", and ".join(missing)


def _has_ipadapter_nodes(installed: InstalledModels) -> bool:
    return {"IPAdapterUnifiedLoader", "IPAdapterAdvanced"} <= installed.nodes


def _first(names: Sequence[str], pattern: re.Pattern[str]) -> str | None:
    return next((name for name in names if pattern.search(name)), None)


def _matching(names: Sequence[str], pattern: str) -> str | None:
    return _first(names, re.compile(pattern + _WEIGHTS, re.IGNORECASE))
