"""Fills in a request from a version of a character: the one place where the two come together.

What a request sends itself wins. Sent again, what a generation used gives the same spec: so everything here
can be filled in twice and changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ...db.records import CharacterVersionRecord
from ...db.templates import name_key
from ..errors import UnprocessableError
from ..families.prompt_text import PromptParts, clause_key, split_clauses
from ..spec.avatar import Kind
from ..spec.character import CharacterUse
from ..spec.character_content import DEFAULT_FIELDS, MODEL_FIELDS, CharacterContent, Outfit
from ..spec.expressions import EXPRESSIONS
from ..spec.fields import RequestField, Text
from ..spec.reference import RequestedReference
from ..spec.request import REQUEST_FIELDS, AvatarRequest
from ..spec.views import LEVEL

#: Settings that suit one model: with another one they are left to that.
_OF_THE_MODEL = {
    "steps",
    "cfg",
    "sampler",
    "scheduler",
    *(name for name, item in DEFAULT_FIELDS.items() if item.applies == "family"),
}
_LISTED = 20  # names in a refusal


@dataclass(frozen=True)
class FilledRequest:
    """A request with everything filled in, and what the character adds to it.

    `references` are those of the character. `expression_words` are the words of the expression if it is one
    of the character's, whose names are `expressions`.
    """

    request: AvatarRequest
    character: CharacterUse | None = None
    references: tuple[RequestedReference, ...] = ()
    expression_words: str = ""
    expressions: tuple[str, ...] = ()

    @property
    def words(self) -> PromptParts:
        """The words of a picture, as the spec of this request has them."""
        request = self.request
        return PromptParts(
            request.prompt or "",
            request.clothing or "",
            request.style or "",
            bool(request.realism),
            request.negative_prompt or "",
            character=self.character.description if self.character is not None else "",
            expression=self.expression_words or request.expression or "",
            elevation=request.elevation or LEVEL,
        )


def chosen_template(request: AvatarRequest, content: CharacterContent) -> str | None:
    """The template of a request that shows this character."""
    return request.template if _chooses_model(request) else content.template


def fill_request(
    request: AvatarRequest,
    version: CharacterVersionRecord,
    kind: Kind,
    views: Collection[str] | None,
    fillable: Collection[str] | None,
) -> FilledRequest:
    """`views` are those of the route, None for one picture. `fillable` are the request fields that the
    template takes, None without a template. Raises UnprocessableError for an unknown outfit, and for words
    that become too long together."""
    content = version.content
    outfit = _find_outfit(request, content)
    references = _references(request, content, outfit)
    values = _words(request, content, outfit) | _model(request, content)
    values |= _defaults(request, content, kind, views, has_reference=bool(references))
    filled = {
        name: value
        for name, value in values.items()
        if value is not None and (fillable is None or name in fillable or name in ("prompt", "template"))
    }
    return FilledRequest(
        replace(request, **filled),
        CharacterUse(
            version.character_id,
            version.number,
            content.name,
            content.description,
            outfit.name if outfit is not None else None,
        ),
        references,
        _expression_words(request, content),
        tuple(expression.name for expression in content.expressions),
    )


def check_expression(filled: FilledRequest) -> None:
    """Raises UnprocessableError for an expression that is not built in and none of the character's."""
    name = filled.request.expression
    if name and not filled.expression_words and name.strip().lower() not in EXPRESSIONS:
        raise UnprocessableError(
            f"There is no expression {name!r}. There are: {', '.join([*EXPRESSIONS, *filled.expressions])}.",
            ("body", "expression"),
            code="unknown_option",
            parameters={"field": "expression", "value": name},
        )


def _words(request: AvatarRequest, content: CharacterContent, outfit: Outfit | None) -> dict[str, Any]:
    """The texts, style and realism that the request does not decide by itself."""
    clothing = content.clothing if request.clothing is None else request.clothing
    if outfit is not None:
        clothing = _joined("clothing", outfit.words, request.clothing)
    return {
        "prompt": request.prompt or "",
        "clothing": clothing,
        "negative_prompt": _joined("negative_prompt", content.negative, request.negative_prompt),
        "style": content.style if request.style is None else request.style,
        "realism": content.realism if request.realism is None else request.realism,
        "seed": content.seed if request.seed is None else request.seed,
    }


def _joined(name: str, first: str | None, second: str | None) -> str | None:
    """Both texts without what the second one repeats. The same result again as the second text gives
    itself."""
    if not first or not second:
        return first or second
    if second == first or second.startswith(f"{first}, "):
        return second
    said = {clause_key(clause) for clause in split_clauses(first)}
    added = [clause for clause in split_clauses(second) if clause_key(clause) not in said]
    joined = ", ".join([first, *added])
    rule = REQUEST_FIELDS[name].rule
    if isinstance(rule, Text) and len(joined) > rule.max_length:
        raise UnprocessableError(
            f"With the words of the character, {name} has {len(joined)} characters; the limit is "
            f"{rule.max_length}.",
            ("body", name),
        )
    return joined


def _chooses_model(request: AvatarRequest) -> bool:
    return any(getattr(request, name) is not None for name in (*MODEL_FIELDS, "checkpoint"))


def _model(request: AvatarRequest, content: CharacterContent) -> dict[str, Any]:
    found: dict[str, Any] = {"loras": content.loras or None} if request.loras is None else {}
    if not _chooses_model(request):
        found |= {name: getattr(content, name) for name in MODEL_FIELDS}
    return found


def _defaults(
    request: AvatarRequest,
    content: CharacterContent,
    kind: Kind,
    views: Collection[str] | None,
    *,
    has_reference: bool,
) -> dict[str, Any]:
    """The character's settings that apply to this request and that it does not decide itself."""
    sheet = kind == "all_poses"
    shown = (request.views or content.defaults.get("views") or views or ()) if sheet else (views or ())
    has_reference = has_reference or _has_identity(request) or bool(request.references)
    applicable = {
        "sheet": sheet,
        "several_views": len(shown) > 1,
        "pose": any(
            value is not None for value in (request.pose_file_id, request.pose_id, request.pose_image)
        ),
        "reference": has_reference,
    }

    def applies(name: str, item: RequestField) -> bool:
        other_model = name in _OF_THE_MODEL and _chooses_model(request)
        return getattr(request, name) is None and applicable.get(item.applies, True) and not other_model

    return {name: content.defaults.get(name) for name, item in DEFAULT_FIELDS.items() if applies(name, item)}


def _has_identity(request: AvatarRequest) -> bool:
    """Whether the request has a reference in the short form."""
    return request.reference_file_id is not None or request.reference_image is not None


def _references(
    request: AvatarRequest, content: CharacterContent, outfit: Outfit | None
) -> tuple[RequestedReference, ...]:
    """The character's references, without those in whose role the request has its own. Pictures of clothes
    are left out when the request wants other clothes."""
    taken = {item.role for item in request.references or ()}
    if _has_identity(request):
        taken.add("identity")
    found = [
        RequestedReference(item.file_id, item.role, item.strength, item.view)
        for item in content.references
        if item.role not in taken and (item.role != "outfit" or not _changes_clothes(request, content))
    ]
    if outfit is not None and outfit.file_id is not None and "outfit" not in taken:
        found.append(RequestedReference(outfit.file_id, "outfit"))
    strength = request.reference_strength
    if strength is not None and "identity" not in taken:
        found = [replace(item, strength=strength) if item.role == "identity" else item for item in found]
    return tuple(found)


def _changes_clothes(request: AvatarRequest, content: CharacterContent) -> bool:
    return request.outfit is not None or request.clothing not in (None, content.clothing)


def _find_outfit(request: AvatarRequest, content: CharacterContent) -> Outfit | None:
    if request.outfit is None:
        return None
    key = name_key(request.outfit.strip())
    for outfit in content.outfits:
        if name_key(outfit.name.strip()) == key:
            return outfit
    has = _list(outfit.name for outfit in content.outfits)
    raise UnprocessableError(
        f"The character {content.name!r} has no outfit {request.outfit!r}. It has: {has}.",
        ("body", "outfit"),
        code="unknown_option",
        parameters={"field": "outfit", "value": request.outfit},
    )


def _expression_words(request: AvatarRequest, content: CharacterContent) -> str:
    key = name_key((request.expression or "").strip())
    for expression in content.expressions:
        if name_key(expression.name.strip()) == key:
            return expression.words
    return ""


def _list(names: Iterable[str]) -> str:
    shown = [name for name, _ in zip(names, range(_LISTED + 1), strict=False)]
    return ", ".join([*shown[:_LISTED], *(["..."] if len(shown) > _LISTED else [])]) or "none"
