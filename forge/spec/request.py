"""A request for pictures, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

from .avatar import NOT_USED, TURNAROUNDS, AvatarSpec, Kind
from .fields import (
    Base64Picture,
    CharacterId,
    Choice,
    Conditions,
    FileId,
    Flag,
    Loras,
    Name,
    Real,
    References,
    Text,
    Url,
    Views,
    Whole,
    declare,
    declared_fields,
)
from .lora import LoraUse
from .pose import POSE_MODES, PoseMode
from .redraw import redraw_parameters
from .reference import (
    REFERENCE_METHODS,
    REFERENCE_STRENGTH,
    ReferenceMethod,
    ReferenceUse,
    RequestedReference,
)
from .settings import AvatarSettings
from .until import CONDITIONS, MOST_TRIES, Until

POSE_STRENGTH = 1.0
MOST_REFERENCES = 8
MOST_COUNT = 16
#: Pictures of one generation: views x count.
MOST_PICTURES = 64


@dataclass(frozen=True)
class AvatarRequest(AvatarSettings):
    """A request for pictures. None leaves the choice to the server. The `*_image` fields contain base64."""

    character_id: str | None = declare(
        CharacterId(), "A saved character: every picture shows it, and prompt adds to it."
    )
    character_version: int | None = declare(
        Whole(1, 2**31 - 1), "A version of the character; its newest when left out.", applies="character"
    )
    outfit: str | None = declare(Text(100), "An outfit of the character, by its name.", applies="character")
    pose_file_id: str | None = declare(FileId(), "ID of an uploaded pose image.", form="slot")
    reference_file_id: str | None = declare(FileId(), "ID of an uploaded reference image.", form="slot")
    pose_id: str | None = declare(
        Name(100, "poses"), "A pose of the library, by its id or name; it is turned to every view."
    )
    pose_mirrored: bool | None = declare(
        Flag(), "The pose of the library with left and right exchanged.", default=False
    )
    pose_image: str | None = declare(
        Base64Picture(), "[LEGACY] Base64 image; upload a file instead.", repeated=False
    )
    reference_image: str | None = declare(
        Base64Picture(), "[LEGACY] Base64 image; upload a file instead.", repeated=False
    )
    references: tuple[RequestedReference, ...] | None = declare(
        References(MOST_REFERENCES),
        "Uploaded reference images with a role each: identity, face, outfit or style.",
        form=None,
    )
    views: tuple[str, ...] | None = declare(
        Views(), "All poses: which views, instead of front, back, side and quarter.", applies="sheet"
    )
    count: int | None = declare(
        Whole(1, MOST_COUNT),
        "So many pictures, or sheets: the first has the seed, each other one the next seed.",
        default=1,
        form="advanced",
    )
    pose_strength: float | None = declare(
        Real(0, 2),
        "Of the pose image, else of the built-in skeletons. 0: as if absent.",
        default=POSE_STRENGTH,
        form="advanced",
    )
    pose_mode: PoseMode | None = declare(
        Choice(POSE_MODES, automatic="auto", stored=POSE_MODES),
        "What the pose image is; auto recognises it from its content.",
        default="auto",
        form="advanced",
        applies="pose",
    )
    reference_strength: float | None = declare(
        Real(0, 1),
        "0: as if absent. 1: seen as strongly as the picture itself.",
        default=REFERENCE_STRENGTH,
        form="advanced",
    )
    reference_method: ReferenceMethod | Literal["auto"] | None = declare(
        Choice(("auto", *REFERENCE_METHODS), automatic="auto", stored=REFERENCE_METHODS),
        "How the model sees the reference image; auto takes the best that works.",
        default="auto",
        form="advanced",
        applies="reference",
    )
    turnaround: str | None = declare(
        Choice(("auto", *TURNAROUNDS), automatic="auto", stored=TURNAROUNDS),
        "All poses: in one batch, or one after another for a card with little memory.",
        default="auto",
        form="advanced",
        applies="several_views",
    )
    template: str | None = declare(
        Name(100, "templates"),
        "A template, by its name or id: its graph makes the pictures.",
        form="advanced",
    )
    model: str | None = declare(
        Name(512, "models"), "An installed model of any family, by its file name.", form="advanced"
    )
    family: str | None = declare(
        Name(32, "families"),
        "A model family: its best installed model is used.",
        repeated=False,
        form="advanced",
    )
    loras: tuple[LoraUse, ...] | None = declare(
        Loras(16, -4, 4), "LoRAs of the model's family: name, strength, clip_strength.", form="advanced"
    )
    judge: bool | None = declare(
        Flag(),
        "Measure how well the pictures match what was asked for. Left out: of a sheet, if a pose extractor "
        "is installed.",
    )
    until: Until | None = declare(
        Conditions(MOST_TRIES),
        "Make a picture again until it reaches these scores, or until tries of it were made.",
    )
    callback_url: str | None = declare(
        Url(2048), "Called when it has completed or failed (Standard Webhooks).", repeated=False
    )

    def __post_init__(self) -> None:
        if self.loras is not None:
            loras = tuple(lora if isinstance(lora, LoraUse) else LoraUse(**lora) for lora in self.loras)
            object.__setattr__(self, "loras", loras)
        if self.references is not None:
            references = tuple(
                item if isinstance(item, RequestedReference) else RequestedReference(**item)
                for item in self.references
            )
            object.__setattr__(self, "references", references)
        if isinstance(self.until, Mapping):
            object.__setattr__(self, "until", Until(**self.until))
        if self.views is not None:
            object.__setattr__(self, "views", tuple(self.views))


REQUEST_FIELDS = declared_fields(AvatarRequest)


def _only_reference(spec: AvatarSpec) -> ReferenceUse | None:
    """The reference, if `reference_file_id` and `reference_strength` say all about it."""
    use = spec.reference
    if use is None or spec.more_references or (use.role, use.view) != ("identity", None):
        return None
    return use


def _references(spec: AvatarSpec) -> list[dict[str, Any]] | None:
    if _only_reference(spec) is not None or not spec.references:
        return None
    return [
        {"file_id": use.file_id, "role": use.role, "strength": use.strength, "view": use.view}
        for use in spec.references
    ]


def _loras(spec: AvatarSpec) -> list[dict[str, Any]] | None:
    """None if there are none; with a character [], so that those of the character are not used instead."""
    loras = [
        {"name": lora.name, "strength": lora.strength, "clip_strength": lora.clip_strength}
        for lora in spec.loras
        if not lora.helps
    ]
    return loras if loras or (spec.character is not None and spec.template is None) else None


def _until(spec: AvatarSpec) -> dict[str, Any] | None:
    if spec.until is None:
        return None
    return {**{name: getattr(spec.until, name) for name in CONDITIONS}, "tries": spec.until.tries}


#: Request fields that a spec has under another name or in one of its parts.
_FROM_SPEC: Mapping[str, Callable[[AvatarSpec], Any]] = {
    "character_id": lambda spec: spec.character.id if spec.character else None,
    "character_version": lambda spec: spec.character.version if spec.character else None,
    "outfit": lambda spec: spec.character.outfit if spec.character else None,
    "pose_file_id": lambda spec: spec.pose.file.file_id if spec.pose and not spec.pose.of_library else None,
    "pose_id": lambda spec: spec.pose.pose_id if spec.pose else None,
    "pose_mirrored": lambda spec: spec.pose.mirrored if spec.pose and spec.pose.of_library else None,
    "reference_file_id": lambda spec: use.file_id if (use := _only_reference(spec)) else None,
    "references": _references,
    "views": lambda spec: list(spec.views),
    "pose_strength": lambda spec: spec.pose.strength if spec.pose else spec.skeleton_strength,
    "pose_mode": lambda spec: spec.pose.mode if spec.pose else None,
    "reference_strength": lambda spec: use.strength if (use := _only_reference(spec)) else None,
    "template": lambda spec: spec.template.name if spec.template else None,
    "reference_method": lambda spec: spec.reference.method if spec.reference else None,
    "model": lambda spec: spec.checkpoint,
    "loras": _loras,
    "judge": lambda spec: spec.judge is not None,
    "until": _until,
}
#: What no template has a slot for.
_NOT_OF_TEMPLATES = (
    "pose_strength",
    "reference_strength",
    "reference_method",
    "consistency",
    "turnaround",
)


#: The fields of `parameters`.
REPEATED_FIELDS = {name: field for name, field in REQUEST_FIELDS.items() if field.repeated}
_READERS = {name: _FROM_SPEC.get(name, attrgetter(name)) for name in REPEATED_FIELDS}
_FLOATS = tuple(name for name, field in REPEATED_FIELDS.items() if isinstance(field.rule, Real))
_OF_SHEETS, _OF_SEVERAL_VIEWS = (
    tuple(name for name, field in REPEATED_FIELDS.items() if field.applies == applies)
    for applies in ("sheet", "several_views")
)


def parameters(spec: AvatarSpec, kind: Kind | str) -> dict[str, Any]:
    """The values of a request that repeats this spec: every repeated field, None if it does not apply. Those
    of a redraw are the fields of its own request."""
    if spec.redraw is not None:
        return redraw_parameters(spec.redraw, spec.seed)
    values = {name: read(spec) for name, read in _READERS.items()}
    if kind != "all_poses":
        values.update(dict.fromkeys(_OF_SHEETS))
    if not spec.has_several_views:
        values.update(dict.fromkeys(_OF_SEVERAL_VIEWS))
    if spec.template is not None:
        values.update(dict.fromkeys(_NOT_OF_TEMPLATES))
    if spec.is_drawn:
        values.update(dict.fromkeys(NOT_USED))
    for name in _FLOATS:
        if values[name] is not None:
            values[name] = float(values[name])  # so that a whole number is rendered as a float
    return values
