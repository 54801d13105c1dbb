"""Refuses fields of a request that would have no effect, and warns of values that count differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UnprocessableError
from ..families.family import Family
from ..graphs.pose_input import posed_views
from ..graphs.pose_methods import KEYPOINTS, PICTURE
from ..spec.avatar import AvatarSpec, Kind
from ..spec.reference import REFERENCE_STRENGTH, RequestedReference
from ..spec.request import MOST_PICTURES, REQUEST_FIELDS, AvatarRequest
from ..spec.views import in_order
from ..spec.warning import GenerationWarning, make_warning


@dataclass(frozen=True)
class GivenInputs:
    """What a request has, on which some fields depend."""

    several_views: bool
    pose: bool
    reference: bool


def check_applicable(request: AvatarRequest, given: GivenInputs, family: Family | None = None) -> None:
    """Raises UnprocessableError for a field that does not apply to the request, or to its model's `family`
    if that is known."""
    for name, field in REQUEST_FIELDS.items():
        if getattr(request, name) is None:
            continue
        if field.applies == "several_views" and not given.several_views:
            reason = f"{name} is about several views: it belongs to generate_all_poses."
        elif field.applies == "pose" and not given.pose:
            reason = f"{name} is about a pose image, and none was given."
        elif field.applies == "reference" and not given.reference:
            reason = f"{name} is about a reference image, and none was given."
        elif field.applies == "pixel_art" and request.pixel_height is None:
            reason = f"{name} is about large pixels: send pixel_height too."
        elif field.applies == "character" and request.character_id is None:
            reason = f"{name} is about a saved character: send its character_id, too."
        elif field.applies == "family" and family is not None and name not in family.settings:
            raise _not_supported(name, f"{family.label} has no setting {name}: leave it out.", family)
        else:
            continue
        raise UnprocessableError(
            reason, ("body", name), code="field_not_applicable", parameters={"field": name}
        )
    if family is None:
        return
    for name in sorted(family.lacks):
        if getattr(request, name) not in (None, (), REQUEST_FIELDS[name].default):
            raise _not_supported(name, f"{family.label} has no setting {name}: leave it out.", family)
    if family.most_steps is not None and (request.steps or 0) > family.most_steps:
        raise _not_supported(
            "steps", f"The steps of {family.label} are from 1 to {family.most_steps}.", family
        )
    if family.drawn:
        _check_drawn(request, given, family)
    if request.turnaround == "batch" and not family.batch:
        raise _not_supported(
            "turnaround", f"{family.label} cannot sample several views in one batch: use sequential.", family
        )
    if request.consistency and family.anchor is None:
        raise _not_supported(
            "consistency",
            f"The views of {family.label} cannot look at the front: send 0 or leave it out.",
            family,
        )


def chosen_views(request: AvatarRequest, kind: Kind, views: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The views of a request: its own choice for a sheet, otherwise `views`. Raises UnprocessableError if it
    chooses views for something else than a sheet, or wants more pictures than a generation can have."""
    if request.views is None:
        _check_pictures(request, views)
        return views
    if kind != "all_poses":
        raise UnprocessableError(
            "views belongs to generate_all_poses: this request makes another picture.",
            ("body", "views"),
            code="field_not_applicable",
            parameters={"field": "views"},
        )
    _check_pictures(request, request.views)
    return in_order(request.views)


def _check_pictures(request: AvatarRequest, views: Sequence[str] | None) -> None:
    count, each = request.count or 1, len(views or (None,))
    if count * each > MOST_PICTURES:
        raise UnprocessableError(
            f"{count} sheets of {each} views are {count * each} pictures; the limit of a generation is "
            f"{MOST_PICTURES}.",
            ("body", "count"),
        )


def position_of(spec: AvatarSpec, view: str | None, number: int | None) -> int:
    """The position, from 0, of the picture that shows a view, or has a number, from 1, or both. Raises
    UnprocessableError if there is no such picture, or if the number is missing and several show the view."""
    pictures = spec.pictures
    if number is not None:
        if number > len(pictures):
            raise UnprocessableError(
                f"This generation has no picture {number}: it has {len(pictures)}.",
                ("query", "position"),
                code="view_not_found",
            )
        shown = pictures[number - 1]
        if view not in (None, shown):
            raise UnprocessableError(
                f"Picture {number} of this generation shows {shown or 'no view in particular'}, not {view}.",
                ("query", "position"),
                code="view_not_found",
            )
        return number - 1
    if view is None:
        raise UnprocessableError(
            "Say which picture: its view in pose, or its number in position.", ("query", "pose"), "missing"
        )
    numbers = [number for number, shown in enumerate(pictures, 1) if shown == view]
    if not numbers:
        available = ", ".join(filter(None, spec.views)) or "none"
        raise UnprocessableError(
            f"This generation has no {view} view. It has: {available}.",
            ("query", "pose"),
            code="view_not_found",
        )
    if len(numbers) > 1:
        raise UnprocessableError(
            f"Several pictures show {view}: send position, one of {', '.join(map(str, numbers))}.",
            ("query", "position"),
            "missing",
        )
    return numbers[0] - 1


def check_rerollable(spec: AvatarSpec) -> None:
    """Raises UnprocessableError for a drawn face that was redrawn: only with the seed of its picture does it
    fit into that."""
    if spec.redraw is not None and spec.is_drawn:
        raise UnprocessableError(
            "A drawn face keeps the seed of the picture that it is put into: another would not fit. Re-roll "
            "that picture, and redraw its face.",
            ("query", "seed"),
            code="field_not_applicable",
            parameters={"field": "seed"},
        )


def check_pose_shown(spec: AvatarSpec) -> None:
    """Raises UnprocessableError if a given pose applies to none of the views."""
    if spec.pose is not None and spec.pose.strength > 0 and not posed_views(spec):
        raise UnprocessableError(
            "The pose shows the front, and none of these views can take it: add front to views, or leave the "
            "pose out.",
            ("body", "pose_file_id"),
            code="field_not_applicable",
            parameters={"field": "pose_file_id"},
        )


def _check_drawn(request: AvatarRequest, given: GivenInputs, family: Family) -> None:
    if request.pose_mode == "raw":
        raise _not_supported(
            "pose_mode",
            f"{family.label} draws the keypoints of a pose, and a raw picture has none: use auto, skeleton "
            "or photo.",
            family,
        )
    if request.pose_strength == 0 and not given.pose:
        raise _not_supported(
            "pose_strength",
            f"{family.label} draws every view on its built-in skeleton: without a pose image, pose_strength "
            "cannot be 0.",
            family,
        )


def check_size(family: Family, width: int, height: int) -> None:
    """Raises UnprocessableError if a size in pixels is not a multiple of the family's step."""
    step = family.latent.step
    for name, value in (("width", width), ("height", height)):
        if value % step:
            raise _not_supported(
                name, f"The {name} of a picture of {family.label} must be a multiple of {step}.", family
            )


def unknown_option(field: str, value: str, supported: Sequence[str]) -> UnprocessableError:
    return UnprocessableError(
        f"This ComfyUI has no {field} {value!r}. It has: {', '.join(supported)}.",
        ("body", field),
        code="unknown_option",
        parameters={"field": field, "value": value},
    )


def family_warnings(
    request: AvatarRequest, spec: AvatarSpec, family: Family
) -> tuple[GenerationWarning, ...]:
    """What the family does with given values that its user may not expect."""
    warnings = []
    if not family.drawn and spec.cfg == 1 and spec.negative_prompt:
        detail = "With cfg 1 the model samples without guidance, so the negative prompt has no effect."
        warnings.append(make_warning("negative_prompt_has_no_effect", detail))
    whole = []
    if any(use.method == PICTURE for use in spec.references):
        whole.append(("reference_strength", request.reference_strength))
        whole += [("references", item.strength) for item in _weakened(request)]
    if spec.pose_method in (PICTURE, KEYPOINTS):
        whole.append(("pose_strength", request.pose_strength))
    if family.anchor == PICTURE and spec.turnaround == "sequential":
        whole.append(("consistency", request.consistency))
    for name, value in whole:
        if value not in (None, 0, 1):
            how = "follows a pose exactly" if family.drawn else "sees a picture whole"
            what = "a strength of" if name == "references" else name
            detail = f"{family.label} {how} or not at all, so {what} {value:g} counts as 1."
            warnings.append(make_warning("strength_counts_as_one", detail, field=name, family=family.label))
    return tuple(warnings)


def _weakened(request: AvatarRequest) -> list[RequestedReference]:
    """The references with a strength of their own: what a list leaves out is filled in."""
    return [item for item in request.references or () if item.strength != REFERENCE_STRENGTH]


def _not_supported(field: str, reason: str, family: Family) -> UnprocessableError:
    return UnprocessableError(
        reason,
        ("body", field),
        code="not_supported_by_family",
        parameters={"field": field, "family": family.label},
    )
