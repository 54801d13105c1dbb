"""Warnings of an accepted generation, for its user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

WarningCode = Literal[
    "no_pose_controlnet",
    "no_pose_slot",
    "pose_not_extracted",
    "pose_on_some_views",
    "network_in_prompt",
    "keyword_in_prompt",
    "wildcard_in_prompt",
    "alternation_in_prompt",
    "choice_in_prompt",
    "schedule_in_prompt",
    "malformed_embedding",
    "unnamed_embedding",
    "unknown_embedding",
    "more_prompt_syntax",
    "reroll_failed",
    "negative_prompt_has_no_effect",
    "strength_counts_as_one",
    "words_not_understood",
    "references_left_out",
    "judge_failed",
    "until_not_reached",
]
WARNING_CODES: tuple[WarningCode, ...] = get_args(WarningCode)

Parameter = str | int | Sequence[str]


@dataclass(frozen=True)
class GenerationWarning:
    """A warning. `detail` is a complete English sentence. With `code` and `parameters` a client can show its
    own. `code` is None in rows of releases without codes."""

    detail: str
    code: str | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def make_warning(code: WarningCode, detail: str, **parameters: Parameter) -> GenerationWarning:
    return GenerationWarning(detail, code, parameters)


def without_repeats(warnings: Iterable[GenerationWarning]) -> tuple[GenerationWarning, ...]:
    """The warnings without repeated sentences, in the order of their first occurrence."""
    unique: dict[str, GenerationWarning] = {}
    for warning in warnings:
        unique.setdefault(warning.detail, warning)
    return tuple(unique.values())


def write_warnings(warnings: Sequence[GenerationWarning]) -> dict[str, Any]:
    """The fields of the warnings in a stored receipt. `warnings` has the sentences, for releases without
    codes."""
    return {
        "warnings": [warning.detail for warning in warnings],
        "warning_details": [
            {"detail": warning.detail, "code": warning.code, "parameters": dict(warning.parameters)}
            for warning in warnings
            if warning.code is not None
        ],
    }


def read_warnings(data: Mapping[str, Any]) -> tuple[GenerationWarning, ...]:
    """The warnings of a receipt stored by any release."""
    by_sentence = {detail["detail"]: detail for detail in data.get("warning_details", ())}
    return tuple(
        GenerationWarning(sentence, detail.get("code"), detail.get("parameters", {}))
        for sentence in data.get("warnings", ())
        for detail in (by_sentence.get(sentence, {}),)
    )
