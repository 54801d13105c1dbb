"""The spec of a generation: everything that decides its pictures, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal, get_args

from .character import CharacterUse
from .fields import REQUIRED
from .lora import LoraUse
from .pose import PoseFile, PosePlan, PoseUse
from .redraw import RedrawUse, read_redraw
from .reference import ReferenceUse
from .settings import SEEDS, SETTINGS, AvatarSettings
from .stored import from_fields, to_fields, to_json_text
from .template import TemplateUse
from .until import JudgeUse, Until

Kind = Literal["avatar", "pose", "all_poses", "expressions", "graph"]
Turnaround = Literal["batch", "sequential"]
TURNAROUNDS: tuple[Turnaround, ...] = get_args(Turnaround)

#: The kind of a generation whose graph was queued by hand. It has no spec.
MANUAL_KIND: Kind = "graph"
NO_SPEC = "{}"
#: Version of the stored form. Rows without one were written before version 1.
SPEC_VERSION = 1

#: The `model_folder` of a drawn family, which has no file.
NO_FOLDER = ""
#: What a spec of a drawn family has for the settings that only models have: earlier releases need a value.
NOT_USED: Mapping[str, Any] = {"cfg": 1.0, "sampler": "none", "scheduler": "none"}

_REQUIRED_NAMES = tuple(name for name, setting in SETTINGS.items() if not setting.optional)


@dataclass(frozen=True, kw_only=True)
class AvatarSpec(AvatarSettings):
    """The spec of a generation. The same spec with the same models gives the same pixels.

    `views` are those of one sheet, in order; None if only the pose image decides the view. `count` is how
    many sheets there are: the first has the seed, and each other one the next seed. `turnaround` is how the
    views of a sheet are made, or several pictures of one view. `width` and
    `height` are pixels of the full frame, from which a narrow view is cut. `controlnet` is None if no pose is
    applied. `skeleton_strength` is for the built-in skeletons. `consistency` is the weight with which the
    views attend to the front. `reseeded` maps re-rolled views to their seeds; where several
    pictures show a view, the numbers of re-rolled pictures.

    `checkpoint` is the name of the model in ComfyUI's folder `model_folder`; outside "checkpoints", it is
    used with `text_encoders` and `vae`, and with NO_FOLDER it is the name of a drawn family. `pose_method` is
    a `families.PoseMethodName`; `controlnet` also names a patch. `variant` and `prediction` are as in
    `ports.ModelFile`. The defaults, and `RequestField.before` for the settings, are for rows written before
    the field existed. Raises ValueError if a required setting has no value.

    `reference` is the first reference picture and `more_references` are the others. `expression_words` are
    the words of an expression that is not built in. With a `character`, its description is part of the words.

    With a `template`, its graph makes the pictures: then settings that are no slots of it are None, and so is
    everything that belongs to a family.

    With a `redraw`, each picture is the same finished one with another expression, and `expression` is None.

    With a `judge`, the prompt that makes the pictures also judges them; with `until`, a picture that is not
    good enough is made again.
    """

    views: tuple[str | None, ...]
    pose: PoseUse | None
    reference: ReferenceUse | None
    family: str
    controlnet: str | None
    controlnet_is_union: bool = False
    bones: str = "standard"
    skeleton_strength: float = 0.0
    turnaround: Turnaround = "sequential"
    pose_method: str = "controlnet"
    variant: str | None = None
    prediction: str = "eps"
    model_folder: str = "checkpoints"
    text_encoders: tuple[str, ...] = ()
    vae: str | None = None
    loras: tuple[LoraUse, ...] = ()
    reseeded: dict[str, int] = field(default_factory=dict)
    template: TemplateUse | None = None
    more_references: tuple[ReferenceUse, ...] = ()
    expression_words: str = ""
    character: CharacterUse | None = None
    count: int = 1
    redraw: RedrawUse | None = None
    judge: JudgeUse | None = None
    until: Until | None = None
    version: int = SPEC_VERSION
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.template is not None:
            return
        if self.is_drawn:
            for name, value in NOT_USED.items():
                object.__setattr__(self, name, value)
        for name in _REQUIRED_NAMES:
            if getattr(self, name) is None:
                if SETTINGS[name].before is REQUIRED:
                    raise ValueError(f"A stored AvatarSpec is incomplete: {name} has no value")
                object.__setattr__(self, name, SETTINGS[name].before)

    @property
    def is_drawn(self) -> bool:
        """Whether the pictures are drawn, without a model file."""
        return self.template is None and self.model_folder == NO_FOLDER

    @property
    def pictures(self) -> tuple[str | None, ...]:
        """The view of each picture, in order: those of the first sheet, then those of the next."""
        return self.views * self.count

    def place(self, position: int) -> tuple[int, int]:
        """(sheet, index in `views`) of the picture at a position; all from 0."""
        return divmod(position, len(self.views))

    def sheet_seed(self, sheet: int) -> int:
        """The seed of a sheet, from 0. After the largest seed comes 0."""
        return (self.seed + sheet) % SEEDS if sheet else self.seed

    def seed_at(self, position: int) -> int:
        """The seed of the picture at a position, from 0, after any re-roll."""
        sheet, _ = self.place(position)
        return self.reseeded.get(self._reroll_key(position), self.sheet_seed(sheet))

    def with_seed_at(self, position: int, seed: int) -> AvatarSpec:
        """A copy in which the picture at a position is re-rolled."""
        return replace(self, reseeded={**self.reseeded, self._reroll_key(position): seed})

    def number_at(self, position: int) -> int | None:
        """The number, from 1, of the picture at a position; None if no other one shows its view."""
        return position + 1 if self.count > 1 or len(self.views) > len(set(self.views)) else None

    def _reroll_key(self, position: int) -> str:
        number = self.number_at(position)
        return (self.pictures[position] or "") if number is None else str(number)

    def expression_at(self, position: int) -> str | None:
        """The expression of a redrawn picture; None for any other. `position` counts from 0."""
        return self.redraw.expressions[position].name if self.redraw is not None else None

    @property
    def references(self) -> tuple[ReferenceUse, ...]:
        """All reference pictures, in the order in which they are applied."""
        return (self.reference, *self.more_references) if self.reference is not None else ()

    @property
    def has_several_views(self) -> bool:
        return len(self.views) > 1

    @property
    def description(self) -> str:
        """What every picture of the character shows; empty without a character."""
        return self.character.description if self.character is not None else ""

    @property
    def texts(self) -> tuple[str | None, ...]:
        """The user's texts, all of which become part of the prompt."""
        return (
            self.description,
            self.prompt,
            self.clothing,
            self.expression_words,
            self.style,
            self.negative_prompt,
            *(self.redraw.words if self.redraw is not None else ()),
        )

    def to_json(self) -> str:
        return to_json_text(to_fields(self))

    @classmethod
    def from_json(cls, text: str) -> AvatarSpec:
        """Read a spec stored by any release. Raises ValueError if it is invalid."""
        return _read(text)


# A generation is read again whenever its status changes, with the same spec.
@lru_cache(maxsize=128)
def _read(text: str) -> AvatarSpec:
    data: dict[str, Any] = json.loads(text)
    pose, reference, template = data.get("pose"), data.get("reference"), data.get("template")
    character, redraw = data.get("character"), data.get("redraw")
    judge, until = data.get("judge"), data.get("until")
    return from_fields(
        AvatarSpec,
        {
            # A later release may write another version. Fields that it added are kept as unknown fields.
            "version": SPEC_VERSION,
            **data,
            "views": tuple(data.get("views", ())),
            "pose": _read_pose(pose, data) if pose is not None else None,
            "text_encoders": tuple(data.get("text_encoders", ())),
            "loras": tuple(from_fields(LoraUse, lora) for lora in data.get("loras", ())),
            "reference": from_fields(ReferenceUse, reference) if reference is not None else None,
            "more_references": tuple(
                from_fields(ReferenceUse, use) for use in data.get("more_references", ())
            ),
            "template": _read_template(template) if template is not None else None,
            "character": from_fields(CharacterUse, character) if character is not None else None,
            "redraw": read_redraw(redraw) if redraw is not None else None,
            "judge": from_fields(JudgeUse, judge) if judge is not None else None,
            "until": from_fields(Until, until) if until is not None else None,
        },
    )


def _read_template(template: dict[str, Any]) -> TemplateUse:
    return from_fields(TemplateUse, {**template, "slots": tuple(template.get("slots", ()))})


def _read_pose(pose: dict[str, Any], spec: Mapping[str, Any]) -> PoseUse:
    if "file" not in pose:
        # Before version 1 a pose was a skeleton picture of the frame's size.
        file = PoseFile(pose["file_id"], pose["content_hash"], spec["width"], spec["height"], "skeleton")
        return PoseUse(file, PosePlan("skeleton", "skeleton"), "skeleton", pose["strength"])
    file, plan = from_fields(PoseFile, pose["file"]), from_fields(PosePlan, pose["plan"])
    return from_fields(PoseUse, {**pose, "file": file, "plan": plan})
