"""Which reference pictures belong to which view. Pure.

Reference pictures of the whole person may each show another view. If not all of them fit, a view takes those
that show it best. A batch takes those of its first view, the front, for all of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from ..families import FAMILIES
from ..families.family import ReferenceLimits
from ..spec.avatar import AvatarSpec
from ..spec.reference import ReferenceUse
from ..spec.views import VIEWS

PICTURE: Final = "picture"
IDENTITY: Final = "identity"
#: What fills the slot of a template.
OF_TEMPLATES = ReferenceLimits(1)
#: Degrees from a view at which a picture counts that may show any view.
_UNKNOWN_TURN = 45.0


def reference_room(spec: AvatarSpec, method: str) -> ReferenceLimits | None:
    """How many references a view of the spec can have by this method. None: the method is not known."""
    if spec.template is not None:
        return OF_TEMPLATES
    references = FAMILIES[spec.family].variant(spec.variant).references
    limits = next((found for name, found in references.items() if name == method), None)
    return limits and replace(limits, most=limits.most - len(taken_places(spec, method)))


def taken_places(spec: AvatarSpec, method: str) -> tuple[str, ...]:
    """What else is a numbered picture: the skeleton, and the front that a view looks at. The front counts
    also in a batch, because a view of it can be generated again alone."""
    if method != PICTURE or spec.template is not None:
        return ()
    family = FAMILIES[spec.family].variant(spec.variant)
    posed = (spec.pose is not None and spec.pose.strength > 0) or spec.skeleton_strength > 0
    places = []
    if spec.pose_method == PICTURE and posed:
        places.append("the skeleton")
    if family.anchor == PICTURE and spec.has_several_views and spec.consistency > 0:
        places.append("the front")
    return tuple(places)


def references_of(spec: AvatarSpec, view: str | None) -> tuple[ReferenceUse, ...]:
    """The references of a view with a strength above 0, in the order of REFERENCE_ROLES: of the whole person
    as many as fit, those first that show the view best."""
    active = [use for use in spec.references if use.strength > 0]
    people = [use for use in active if use.role == IDENTITY]
    others = [use for use in active if use.role != IDENTITY]
    if spec.turnaround == "batch" and spec.has_several_views:
        view = spec.views[0]
    people.sort(key=lambda use: turn_between(use.view, view))
    return (*people[: _room_for_people(spec, active)], *others)


def turn_between(shown: str | None, wanted: str | None) -> float:
    """Degrees between what a picture shows and a view; None is any view."""
    if wanted is None or wanted not in VIEWS:
        return 0.0
    if shown is None or shown not in VIEWS:
        return _UNKNOWN_TURN
    return abs((VIEWS[shown].turn - VIEWS[wanted].turn + 180) % 360 - 180)


def _room_for_people(spec: AvatarSpec, active: Sequence[ReferenceUse]) -> int:
    room = reference_room(spec, active[0].method) if active else None
    if room is None:
        return len(active)
    others = sum(use.role != IDENTITY for use in active)
    return max(1, min(room.most - others, room.each or room.most))
