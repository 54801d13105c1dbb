"""Decides whether the pictures of a request are judged, and refuses conditions that could never be met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import UnavailableError, UnprocessableError
from ..families import FAMILIES
from ..graphs.capabilities import pose_extractors
from ..graphs.judging import Obstacle, choose_judge, obstacles
from ..graphs.method import best
from ..ports import InstalledModels
from ..settings import Settings
from ..spec.avatar import AvatarSpec
from ..spec.request import AvatarRequest
from .applicability import check_rerollable
from .compiling import Resolve
from .resolve import ResolvedRequest
from .template import require_seed_slot


def resolve_judged(
    installed: InstalledModels, settings: Settings, *, resolve: Resolve, request: AvatarRequest, sheet: bool
) -> ResolvedRequest:
    """Resolve a request, and add how its pictures are judged. `sheet`: it is for several views.

    Raises what `resolve` raises, UnavailableError if nothing installed can measure a condition of `until`,
    and UnprocessableError for one that no picture of the request can meet.
    """
    resolved = resolve(installed, settings)
    if request.until is not None and request.judge is False:
        raise UnprocessableError(
            "until goes by the scores of the pictures, and judge is false: leave one of them out.",
            ("body", "until"),
            code="field_not_applicable",
            parameters={"field": "until"},
        )
    if not _wants_judge(request, installed, sheet=sheet):
        return resolved
    judge = choose_judge(installed)
    spec = replace(resolved.spec, judge=judge, until=request.until)
    if request.until is not None:
        require_seed_slot(spec)
        check_rerollable(spec)
        _check_conditions(spec, installed)
    return replace(resolved, spec=spec)


def _wants_judge(request: AvatarRequest, installed: InstalledModels, *, sheet: bool) -> bool:
    if request.judge is not None or request.until is not None:
        return bool(request.judge) or request.until is not None
    # Without keypoints the two measures that a sheet is about most, pose and view, have no value.
    return sheet and best(pose_extractors(installed)) is not None


def _check_conditions(spec: AvatarSpec, installed: InstalledModels) -> None:
    if spec.until is None or spec.judge is None:
        return
    if not spec.until.conditions:
        raise UnprocessableError(
            "until has no condition: send at least one of pose, view, palette and identity.",
            ("body", "until"),
            "missing",
        )
    positions = range(len(spec.views))  # the further sheets are like the first
    found = [obstacles(spec, position, spec.judge, installed) for position in positions]
    for name in spec.until.conditions:
        blocking = [of_picture[name] for of_picture in found if name in of_picture]
        if len(blocking) == len(found):
            raise _refusal(spec, name, blocking)


def _refusal(
    spec: AvatarSpec, name: str, blocking: Sequence[Obstacle]
) -> UnavailableError | UnprocessableError:
    """About the first picture that a model could help, else about the first."""
    obstacle = next((item for item in blocking if item.missing), blocking[0])
    field = f"until.{name}"
    if obstacle.missing:
        return UnavailableError(
            f"{field} cannot be measured. {obstacle.detail}",
            code="judge_model_missing",
            parameters={"field": field},
        )
    family = FAMILIES[spec.family].label if spec.template is None else spec.template.name
    return UnprocessableError(
        f"{field} cannot be measured for {family}. {obstacle.detail}",
        ("body", "until", name),
        code="not_measurable",
        parameters={"field": field, "family": family},
    )
