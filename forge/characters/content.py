"""Makes the content of a character from the values of a request, and checks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...db.templates import name_key
from ..errors import UnprocessableError
from ..spec.character_content import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MODEL_FIELDS,
    MOST_EXPRESSIONS,
    MOST_OUTFITS,
    MOST_REFERENCES,
    CharacterContent,
    CharacterReference,
    NamedExpression,
    Outfit,
)
from ..spec.expressions import EXPRESSIONS
from ..spec.lora import LoraUse

_KINDS: Mapping[str, Any] = {
    "references": CharacterReference,
    "outfits": Outfit,
    "expressions": NamedExpression,
    "loras": LoraUse,
}
_MOST = {"references": MOST_REFERENCES, "outfits": MOST_OUTFITS, "expressions": MOST_EXPRESSIONS}


def make_content(values: Mapping[str, Any]) -> CharacterContent:
    """The content of a new character. Raises UnprocessableError."""
    return change_content(CharacterContent(name="", description=""), values)


def change_content(content: CharacterContent, values: Mapping[str, Any]) -> CharacterContent:
    """The content with other values: field -> value, where None clears a field. A list replaces the whole
    list. A model, family or template takes the place of the other two. Raises UnprocessableError."""
    changed = {name: _read(name, value) for name, value in values.items()}
    chosen = [name for name in MODEL_FIELDS if changed.get(name) is not None]
    if len(chosen) > 1:
        raise UnprocessableError(
            f"A character has a model, a family or a template: {chosen[0]} and {chosen[1]} contradict each "
            "other.",
            ("body", chosen[1]),
            code="conflicting_fields",
            parameters={"field": chosen[1], "other": chosen[0]},
        )
    if chosen:
        changed = {**dict.fromkeys(MODEL_FIELDS), **changed}
    content = replace(content, **changed)
    _check(content)
    return content


def content_values(content: CharacterContent) -> dict[str, Any]:
    """A content as `POST /characters` takes it. What the family makes of a LoRA is none of its own."""
    plain = ("name", "description", "negative", "clothing", "style", "realism", "model", "family", "template")
    lists = ("references", "outfits", "expressions")
    return {
        **{name: getattr(content, name) for name in (*plain, "seed")},
        **{name: [_without_unknown(item) for item in getattr(content, name)] for name in lists},
        "loras": [
            {"name": lora.name, "strength": lora.strength, "clip_strength": lora.clip_strength}
            for lora in content.loras
        ],
        "defaults": {name: value for name, value in content.defaults.items() if value is not None},
    }


def _without_unknown(item: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(item).items() if name != "unknown"}


def _read(name: str, value: Any) -> Any:
    if name in _KINDS:
        kind = _KINDS[name]
        return tuple(kind(**item) if isinstance(item, Mapping) else item for item in value or ())
    if name == "defaults":
        return {key: item for key, item in (value or {}).items() if item is not None}
    return value.strip() if name in ("name", "description") and value is not None else value


def _check(content: CharacterContent) -> None:
    for name in ("name", "description"):
        if not getattr(content, name):
            raise UnprocessableError(f"A character needs a {name} that is not only spaces.", ("body", name))
    if len(content.description) > LONGEST_DESCRIPTION:
        raise UnprocessableError(
            f"A description has at most {LONGEST_DESCRIPTION} characters: send a shorter one.",
            ("body", "description"),
        )
    for name, most in _MOST.items():
        if len(getattr(content, name)) > most:
            raise UnprocessableError(f"A character has at most {most} {name}.", ("body", name))
    _check_references(content.references)
    _check_names("outfits", [outfit.name for outfit in content.outfits])
    _check_names("expressions", [expression.name for expression in content.expressions])
    for index, expression in enumerate(content.expressions):
        if name_key(expression.name.strip()) in EXPRESSIONS:
            raise UnprocessableError(
                f"The expression {expression.name!r} is built in: choose another name.",
                ("body", "expressions", index, "name"),
            )


def _check_references(references: Sequence[CharacterReference]) -> None:
    seen = set()
    for index, reference in enumerate(references):
        key = (reference.file_id, reference.role)
        if key in seen:
            raise UnprocessableError(
                f"The file {reference.file_id} is a reference of the role {reference.role} already.",
                ("body", "references", index, "file_id"),
            )
        seen.add(key)


def _check_names(field: str, names: Sequence[str]) -> None:
    seen = set()
    for index, name in enumerate(names):
        location = ("body", field, index, "name")
        key = name_key(name.strip())
        if not key:
            raise UnprocessableError("A name is not only spaces.", location)
        if len(name) > LONGEST_NAME:
            raise UnprocessableError(f"A name has at most {LONGEST_NAME} characters.", location)
        if key in seen:
            raise UnprocessableError(
                f"The name {name!r} is there twice; capitals make no difference.", location
            )
        seen.add(key)
