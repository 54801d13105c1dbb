"""Ways to apply a reference picture: numbered pictures, Redux, an IPAdapter, shared attention, colours."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..errors import UnavailableError, UnprocessableError
from ..families.family import Family, ReferenceLimits
from ..ports import InstalledModels
from ..spec.reference import ReferenceMethod, ReferenceRole
from .method import Method, describe_skipped, lacking

PICTURE: Final = "picture"
REDUX: Final = "redux"
IPADAPTER: Final = "ipadapter"
ATTENTION: Final = "attention"
PALETTE: Final = "palette"
#: The methods that need no file.
_OWN: tuple[ReferenceMethod, ...] = (PICTURE, ATTENTION, PALETTE)

_IPADAPTER_NODES = {"IPAdapterUnifiedLoader", "IPAdapterAdvanced"}
#: Releases with this node have the weight type "style transfer" for SD1.5 and SDXL.
_STYLE_NODES = {"IPAdapterPreciseStyleTransfer"}
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


@dataclass(frozen=True)
class ReferenceSupport:
    """A method, how many references of a picture it takes, and in which roles with what is installed."""

    method: ReferenceMethod
    most: int
    each: int | None
    roles: tuple[ReferenceRole, ...]


#: Role -> how a reference of that role is applied.
Choices = Mapping[ReferenceRole, ReferenceChoice]


def reference_methods(installed: InstalledModels, family: Family) -> tuple[Method, ...]:
    """The methods of the family, best first."""
    return tuple(_method(installed, family, name) for name in family.references)


def reference_support(installed: InstalledModels, family: Family) -> tuple[ReferenceSupport, ...]:
    """How many references, and in which roles, each method of the family takes."""
    return tuple(
        ReferenceSupport(
            name, limits.most, limits.each, tuple(_working_choices(installed, family, name, limits))
        )
        for name, limits in family.references.items()
    )


def adapter_choice(
    installed: InstalledModels, family: Family, method: ReferenceMethod, role: ReferenceRole = "identity"
) -> ReferenceChoice | None:
    """The files of this method for the family; None if a file, a node or the node pack is missing."""
    if method in _OWN:
        return ReferenceChoice(method)
    if method == REDUX:
        model = _first(installed.style_models, _REDUX)
        vision = _first(installed.clip_visions, _SIGCLIP)
        return ReferenceChoice(REDUX, model, vision) if model and vision else None
    encoder = _first(installed.clip_visions, _CLIP_VISION)
    if encoder is None or not _has_ipadapter_nodes(installed, role):
        return None
    for preset, pattern, _ in _adapters(family, role):
        model = _matching(installed.ipadapters, pattern)
        if model is not None:
            return ReferenceChoice(IPADAPTER, model, encoder, preset)
    return None


def choose_reference_method(
    installed: InstalledModels,
    family: Family,
    wanted: ReferenceMethod | None,
    needed: Mapping[ReferenceRole, Sequence[str | int]],
    optional: Collection[ReferenceRole] = (),
) -> Choices:
    """The wanted method, or the best one that works if that is None, for each role that it takes.

    It takes all `needed` roles, whose values say where the request names them, and as many `optional` ones as
    possible. The result is empty if nothing is needed and nothing works.

    Raises UnprocessableError if the family has no such method, UnavailableError if files for it are missing.
    """
    if wanted is not None and wanted not in family.references:
        raise _not_supported(family, f"by the method {wanted!r}", ("reference_method",))
    if not family.references:
        if not needed:
            return {}
        raise _not_supported(family, "", next(iter(needed.values())))
    names = tuple(family.references) if wanted is None else (wanted,)
    able = [name for name in names if needed.keys() <= set(family.references[name].roles)]
    if not able:
        raise _role_not_supported(family, names, needed)
    found = {name: _working_choices(installed, family, name, family.references[name]) for name in able}
    fitting = [choices for choices in found.values() if choices and needed.keys() <= choices.keys()]
    if fitting:
        # Of methods that take equally many, the first is the best.
        return max(fitting, key=lambda choices: len(choices.keys() & set(optional)))
    if not needed and wanted is None:
        return {}
    roles = needed or {"identity": ()}
    missing = ", or ".join(
        ", and ".join(
            dict.fromkeys(
                _missing(installed, family, name, role) for role in roles if role not in found[name]
            )
        )
        for name in able
    )
    raise UnavailableError(
        f"The reference picture cannot be applied with {family.label}. It needs {missing}.",
        code="reference_model_missing",
        parameters={"family": family.label},
    )


def _working_choices(
    installed: InstalledModels, family: Family, method: ReferenceMethod, limits: ReferenceLimits
) -> dict[ReferenceRole, ReferenceChoice]:
    found = {role: adapter_choice(installed, family, method, role) for role in limits.roles}
    return {role: choice for role, choice in found.items() if choice is not None}


def _not_supported(family: Family, how: str, where: Sequence[str | int]) -> UnprocessableError:
    known = f" It has: {', '.join(family.references)}." if family.references else ""
    return UnprocessableError(
        f"{family.label} cannot see a reference picture {how}".rstrip() + f".{known}",
        ("body", *where),
        code="not_supported_by_family",
        parameters={"field": str(where[0]), "family": family.label},
    )


def _role_not_supported(
    family: Family,
    names: Sequence[ReferenceMethod],
    needed: Mapping[ReferenceRole, Sequence[str | int]],
) -> UnprocessableError:
    possible = {role for name in names for role in family.references[name].roles}
    # If each is possible, but by another method, the one that is used last gives way.
    role = next((role for role in needed if role not in possible), list(needed)[-1])
    ways = "; ".join(f"{name}: {', '.join(family.references[name].roles)}" for name in names)
    where = needed[role]
    return UnprocessableError(
        f"{family.label} cannot use a reference picture as {role!r}"
        f"{' together with the others' if role in possible else ''}. The roles that it takes are, by method, "
        f"{ways}.",
        ("body", *where, *(["role"] if len(where) > 1 else [])),
        code="not_supported_by_family",
        parameters={"field": str(where[0]), "family": family.label},
    )


def _method(installed: InstalledModels, family: Family, name: ReferenceMethod) -> Method:
    if name in _OWN:
        return Method(name, True, None, None)
    choice = adapter_choice(installed, family, name)
    if choice is not None:
        return Method(name, True, choice.model, None)
    return lacking(name, _missing(installed, family, name))


def _missing(
    installed: InstalledModels, family: Family, name: ReferenceMethod, role: ReferenceRole = "identity"
) -> str:
    return _missing_redux(installed) if name == REDUX else _missing_ipadapter(installed, family, role)


def _missing_redux(installed: InstalledModels) -> str:
    missing = []
    if not _first(installed.style_models, _REDUX):
        missing.append(f"{_REDUX_NAME} in models/style_models")
    if not _first(installed.clip_visions, _SIGCLIP):
        missing.append(f"{_SIGCLIP_NAME} in models/clip_vision")
    return ", and ".join(missing)


def _missing_ipadapter(installed: InstalledModels, family: Family, role: ReferenceRole) -> str:
    wanted = _adapters(family, role)
    if not wanted:
        return f"an IPAdapter for {family.label}, which does not exist"
    missing = []
    if not _has_ipadapter_nodes(installed, role):
        newer = "a newer release of " if _has_ipadapter_nodes(installed) else ""
        missing.append(f"{newer}the node pack ComfyUI_IPAdapter_plus in custom_nodes")
    if not any(_matching(installed.ipadapters, pattern) for _, pattern, _ in wanted):
        names = " or ".join(name for _, _, name in wanted)
        patterns = re.compile("|".join(pattern for _, pattern, _ in wanted), re.IGNORECASE)
        skipped = describe_skipped(installed, "ipadapter", patterns)
        missing.append(f"{names} for {family.label} in models/ipadapter{skipped}")
    if not _first(installed.clip_visions, _CLIP_VISION):
        skipped = describe_skipped(installed, "clip_vision", _CLIP_VISION)
        missing.append(f"the CLIP vision model {_CLIP_VISION_NAME} in models/clip_vision{skipped}")
    return ", and ".join(missing)


def _has_ipadapter_nodes(installed: InstalledModels, role: ReferenceRole = "identity") -> bool:
    return _IPADAPTER_NODES | (_STYLE_NODES if role == "style" else set()) <= installed.nodes


def _adapters(family: Family, role: ReferenceRole) -> tuple[tuple[str, str, str], ...]:
    """The adapters for a role: another weight type makes one for the whole picture take only its style."""
    return family.face_ipadapters if role == "face" else family.ipadapters


def _first(names: Sequence[str], pattern: re.Pattern[str]) -> str | None:
    return next((name for name in names if pattern.search(name)), None)


def _matching(names: Sequence[str], pattern: str) -> str | None:
    return _first(names, re.compile(pattern + _WEIGHTS, re.IGNORECASE))
