"""Turns a request with a template into a spec. What is no slot of the template cannot be chosen."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from typing import Any

from ..errors import UnprocessableError
from ..graphs.capabilities import pose_extractors
from ..graphs.poses import pose_warnings
from ..graphs.prompt_syntax import prompt_warnings
from ..graphs.references import IDENTITY
from ..pictures.skeleton import BoneStyle
from ..ports import InstalledModels
from ..settings import Settings
from ..spec.avatar import AvatarSpec
from ..spec.character import CharacterUse
from ..spec.request import REQUEST_FIELDS, AvatarRequest
from ..spec.views import LEVEL
from ..spec.warning import GenerationWarning, make_warning
from ..templates.template import KIND, Template
from .applicability import GivenInputs, check_applicable, check_pose_shown
from .references import GivenReference, add_reference_of_template
from .resolve import GivenPose, ResolvedRequest, default_colors, use_pose

#: Field of a request -> the slots that it fills: the template needs one of them. Fields that are not here
#: fill none.
_SLOTS_OF = {
    "prompt": ("prompt",),
    "clothing": ("prompt",),
    "style": ("prompt",),
    "expression": ("prompt", "character"),
    "elevation": ("prompt",),
    "character_id": ("character", "prompt"),
    "outfit": ("character", "prompt"),
    "negative_prompt": ("negative",),
    "pose_file_id": ("pose",),
    "pose_image": ("pose",),
    "pose_id": ("pose",),
    "pose_mirrored": ("pose",),
    "pose_mode": ("pose",),
    "reference_file_id": ("reference",),
    "reference_image": ("reference",),
    "references": ("reference",),
    "seed": ("seed",),
    "count": ("seed",),
    "width": ("width",),
    "height": ("height",),
    "steps": ("steps",),
    "cfg": ("cfg",),
}
#: What needs no slot: large pixels are made of the finished picture, and that is judged.
_ALWAYS = (
    "template",
    "views",
    "callback_url",
    "pixel_height",
    "pixel_colors",
    "character_version",
    "judge",
    "until",
)
_NO_SLOT = "The view rests on words alone: the template has no slot for a pose."


def resolve_template(
    request: AvatarRequest,
    template: Template,
    views: tuple[str, ...] | None,
    pose: GivenPose | None,
    references: Sequence[GivenReference],
    installed: InstalledModels,
    _settings: Settings,
    *,
    character: CharacterUse | None = None,
    expression_words: str = "",
) -> ResolvedRequest:
    """Make a spec like `resolve_request`. Raises UnprocessableError for a field that is no slot, and what
    `plan_pose` raises."""
    _require_slots(request, template)
    several_views = views is not None and len(views) > 1
    check_applicable(request, GivenInputs(several_views, pose is not None, bool(references)))
    chosen: dict[str, Any] = {name: getattr(request, name) for name in ("width", "height", "steps", "cfg")}
    for name, value in chosen.items():
        chosen[name] = template.common_value(name) if value is None else value
    seed = request.seed
    if seed is None and "seed" in template.slots:
        seed = draw_seed(template=True)
    # The graph decides the rest.
    chosen |= {"seed": seed, **dict.fromkeys(("sampler", "scheduler", "checkpoint", "consistency"))}
    spec = AvatarSpec(
        prompt=request.prompt,
        clothing=request.clothing,
        style=request.style,
        realism=bool(request.realism),
        negative_prompt=request.negative_prompt,
        expression=request.expression,
        elevation=request.elevation,
        pixel_height=request.pixel_height,
        pixel_colors=(
            default_colors(request.pixel_height) if request.pixel_colors is None else request.pixel_colors
        ),
        views=views if views else ((None,) if pose is not None else ("front",)),
        pose=use_pose(pose, request, 1.0, installed, BoneStyle.STANDARD.value),
        reference=None,
        family=KIND,
        controlnet=None,
        bones=BoneStyle.STANDARD.value,
        # Views have their own skeletons; without one the graph keeps the pose that it has.
        skeleton_strength=1.0 if views and "pose" in template.slots else 0.0,
        template=template.use(),
        character=character,
        expression_words=expression_words,
        count=request.count or 1,
        **chosen,
    )
    check_pose_shown(spec)
    has_slot = "reference" in template.slots
    if "character" in template.slots:
        # The graph loads those of the character itself, but for what another slot wants.
        references = [
            item for item in references if not item.from_character or (has_slot and item.role == IDENTITY)
        ]
    spec, left_out = add_reference_of_template(spec, references, has_slot=has_slot)
    warnings: tuple[GenerationWarning, ...] = left_out + prompt_warnings(spec.texts, installed.embeddings)
    if views and "pose" not in template.slots:
        warnings = (make_warning("no_pose_slot", _NO_SLOT), *warnings)
    if spec.pose is not None:
        warnings += pose_warnings(spec.pose, pose_extractors(installed))
    return ResolvedRequest(spec, warnings)


def fillable_fields(template: Template) -> frozenset[str]:
    """The request fields that fill a slot of the template."""
    return frozenset(name for name, slots in _SLOTS_OF.items() if _filled(slots, template))


def draw_seed(*, template: bool) -> int:
    """A random seed. 53 bits, because a JavaScript client could not send a larger one back unchanged; 31 for
    a template, because some nodes take no more."""
    return secrets.randbits(31 if template else 53)


def require_seed_slot(spec: AvatarSpec) -> None:
    """Raises UnprocessableError for a re-roll that would give the same picture."""
    if spec.template is not None and "seed" not in spec.template.slots:
        raise UnprocessableError(
            f"The template {spec.template.name!r} has no slot for a seed, so a re-roll would give the same "
            "picture.",
            ("query", "seed"),
            code="template_slot_missing",
            parameters={"template": spec.template.name, "field": "seed"},
        )


def _filled(slots: Collection[str], template: Template) -> bool:
    return any(slot in template.slots for slot in slots)


def _require_slots(request: AvatarRequest, template: Template) -> None:
    for name in REQUEST_FIELDS:
        value = getattr(request, name)
        one_picture = name == "count" and value == 1
        if name in _ALWAYS or value is None or value is False or value == LEVEL or one_picture:
            continue
        if name == "prompt" and not value:  # as a request with a character may leave it out
            continue
        slots = _SLOTS_OF.get(name, ())
        if not _filled(slots, template):
            has = ", ".join(slot for slot in template.slots if slot != "output") or "none"
            reason = f"no slot {slots[0]!r}" if slots else "no such slot, because its graph decides that"
            raise UnprocessableError(
                f"{name} cannot be used with the template {template.name!r}: it has {reason}. Its slots: "
                f"{has}.",
                ("body", name),
                code="template_slot_missing",
                parameters={"template": template.name, "field": name},
            )
