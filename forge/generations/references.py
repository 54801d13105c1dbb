"""Chooses how the reference pictures of a request are applied, and which of them fit.

What a request names itself is applied or refused. What only a character brings is left out with a warning if
the model's family has no place for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...db.records import FileRecord
from ..errors import UnprocessableError
from ..families import FAMILIES
from ..families.family import ReferenceLimits
from ..graphs.reference_methods import PICTURE, REDUX, ReferenceChoice, choose_reference_method
from ..graphs.references import IDENTITY, reference_room, references_of, taken_places
from ..ports import InstalledModels
from ..spec.avatar import AvatarSpec
from ..spec.reference import REFERENCE_ROLES, REFERENCE_STRENGTH, ReferenceMethod, ReferenceRole, ReferenceUse
from ..spec.request import MOST_REFERENCES, AvatarRequest
from ..spec.warning import GenerationWarning, make_warning

_PARTIAL = tuple(role for role in REFERENCE_ROLES if role != IDENTITY)


@dataclass(frozen=True)
class GivenReference:
    """A reference of a request, as its row. `view` is the view that it shows, None if that is not known.
    `from_character`: the request does not name it itself. `field` is where the request names it."""

    record: FileRecord
    role: ReferenceRole = "identity"
    strength: float = REFERENCE_STRENGTH
    view: str | None = None
    from_character: bool = False
    field: tuple[str | int, ...] = ("reference_file_id",)


@dataclass(frozen=True)
class _Kept:
    """References that are used, each with its use, and those that are left out."""

    used: tuple[tuple[GivenReference, ReferenceUse], ...]
    left_out: tuple[GivenReference, ...] = ()


def add_references(
    spec: AvatarSpec, given: Sequence[GivenReference], request: AvatarRequest, installed: InstalledModels
) -> tuple[AvatarSpec, tuple[GenerationWarning, ...]]:
    """The spec with the references that its family can apply, and a warning if some are left out.

    Raises UnprocessableError for a role or a number that the family does not take, UnavailableError if files
    are missing.
    """
    # What a character brings with strength 0 is absent; a request can say so to leave one out.
    given = [item for item in given if item.strength > 0 or not item.from_character]
    if not given:
        return spec, ()
    ordered = sorted(given, key=lambda item: REFERENCE_ROLES.index(item.role))
    family = FAMILIES[spec.family].variant(spec.variant)
    active = [item for item in ordered if item.strength > 0]
    wanted: ReferenceMethod | None = None if request.reference_method == "auto" else request.reference_method
    if not active and wanted not in family.references:
        wanted = None  # nothing is seen in any way
    needed: dict[ReferenceRole, tuple[str | int, ...]] = {}
    for item in active:
        if not item.from_character:
            needed.setdefault(item.role, item.field)
    brought = {item.role for item in active if item.from_character}
    choices = choose_reference_method(installed, family, wanted, needed, brought)
    fitting = [item for item in ordered if item.role in choices or not item.from_character]
    spare = next(iter(choices.values()), None)
    uses = [(item, _use(item, choices.get(item.role, spare))) for item in fitting]
    kept = _keep_fitting(spec, uses, family.label)
    left_out = [item for item in ordered if item not in fitting] + list(kept.left_out)
    return _with_references(spec, kept), _left_out(left_out, family.label)


def add_reference_of_template(
    spec: AvatarSpec, given: Sequence[GivenReference], *, has_slot: bool
) -> tuple[AvatarSpec, tuple[GenerationWarning, ...]]:
    """The same for a template, whose slot takes one picture of the whole person for each view."""
    name = f"The template {spec.template.name!r}" if spec.template else "The template"
    given = [item for item in given if item.strength > 0 or not item.from_character]
    for item in given:
        if item.role != IDENTITY and item.strength > 0 and not item.from_character:
            raise UnprocessableError(
                f"{name} cannot use a reference picture as {item.role!r}: its slot takes one picture, of the "
                "role identity.",
                ("body", *item.field, "role"),
                code="template_slot_missing",
                parameters={"template": spec.template.name if spec.template else "", "field": "references"},
            )
    fitting = [
        item
        for item in given
        if item.strength == 0 or (item.role == IDENTITY and (has_slot or not item.from_character))
    ]
    uses = [(item, _use(item, ReferenceChoice(PICTURE))) for item in fitting]
    kept = _keep_fitting(spec, uses, name)
    left_out = [item for item in given if item not in fitting and item.strength > 0] + list(kept.left_out)
    return _with_references(spec, kept), _left_out(left_out, name)


def _use(item: GivenReference, choice: ReferenceChoice | None) -> ReferenceUse:
    use = ReferenceUse(
        item.record.id, item.record.content_hash, item.strength, role=item.role, view=item.view
    )
    if choice is None:
        return use
    # A reference picture is seen whole, or not at all.
    strength = float(item.strength > 0) if choice.method == PICTURE else item.strength
    vision = choice.clip_vision if choice.method == REDUX else None
    return replace(
        use,
        strength=strength,
        method=choice.method,
        preset=choice.preset,
        model=choice.model,
        clip_vision=vision,
    )


def _with_references(spec: AvatarSpec, kept: _Kept) -> AvatarSpec:
    uses = tuple(use for _, use in kept.used)
    return replace(spec, reference=uses[0] if uses else None, more_references=uses[1:])


def _keep_fitting(spec: AvatarSpec, uses: Sequence[tuple[GivenReference, ReferenceUse]], label: str) -> _Kept:
    """Leave out of a character's references what has no place. Raises UnprocessableError for others."""
    active = [item for item, use in uses if use.strength > 0]
    method = next((use.method for _, use in uses if use.strength > 0), "")
    room = reference_room(spec, method)
    if room is None:
        return _Kept(tuple(uses))
    left_out: list[GivenReference] = []

    def remaining(*roles: ReferenceRole) -> list[GivenReference]:
        return [item for item in active if item.role in roles and item not in left_out]

    def leave_one_out(candidates: Sequence[GivenReference]) -> None:
        brought = [item for item in candidates if item.from_character]
        if not brought:
            raise _too_many(candidates[-1], spec, method, room, label)
        left_out.append(brought[-1])

    most_of_role = room.most if room.each is None else room.each
    for role in _PARTIAL:
        while len(remaining(role)) > most_of_role:
            leave_one_out(remaining(role))
    # Of several pictures of the whole person one is enough: each view takes those that show it best.
    while len(remaining(*_PARTIAL)) + bool(remaining(IDENTITY)) > room.most:
        leave_one_out(remaining(*REFERENCE_ROLES))
    # `parameters` is a request: it can repeat no more.
    while len(uses) - len(left_out) > MOST_REFERENCES:
        people = [item for item in remaining(IDENTITY) if item.from_character]
        leave_one_out(people[1:] or remaining(*REFERENCE_ROLES))
    fitting = _with_references(spec, _Kept(tuple(pair for pair in uses if pair[0] not in left_out)))
    shown = [use for view in spec.views for use in references_of(fitting, view)]
    for item, use in uses:
        if use.strength > 0 and use not in shown and item not in left_out:
            if not item.from_character:
                raise _too_many(item, spec, method, room, label)
            left_out.append(item)
    return _Kept(tuple(pair for pair in uses if pair[0] not in left_out), tuple(left_out))


def _too_many(
    item: GivenReference, spec: AvatarSpec, method: str, room: ReferenceLimits, label: str
) -> UnprocessableError:
    count = f"{room.most} reference picture{'s' if room.most > 1 else ''}"
    each = "" if room.each is None else f", {room.each} of each role"
    places = taken_places(spec, method)
    beside = f" beside {' and '.join(places)}" if places else ""
    return UnprocessableError(
        f"{label} takes {count}{each}{beside} for a view, and this is one too many: {item.role} "
        f"{item.record.id}.",
        ("body", *item.field),
        code="not_supported_by_family",
        parameters={"field": str(item.field[0]), "family": label},
    )


def _left_out(items: Iterable[GivenReference], label: str) -> tuple[GenerationWarning, ...]:
    named = [f"{item.role} {item.record.id}" for item in items if item.strength > 0]
    if not named:
        return ()
    detail = (
        f"{label} has no place for all references of the character. Left out: {', '.join(named)}. The "
        "receipt lists those that were used."
    )
    return (make_warning("references_left_out", detail, references=named, family=label),)
