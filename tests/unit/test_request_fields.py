"""A request field is declared once; the rest follows from the declaration, or is checked against it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from specs import KEYPOINTS, REFERENCE, spec

from avatarforge.forge.families import FAMILIES
from avatarforge.forge.graphs.compile import compile_prompt
from avatarforge.forge.spec.avatar import AvatarSpec
from avatarforge.forge.spec.fields import (
    Choice,
    Conditions,
    Flag,
    Loras,
    Name,
    Real,
    References,
    RequestField,
    Text,
    Views,
    Whole,
)
from avatarforge.forge.spec.request import REQUEST_FIELDS, AvatarRequest, parameters
from avatarforge.forge.spec.settings import SETTINGS
from avatarforge.forge.spec.until import SCALES
from avatarforge.forge.spec.views import SHEET_VIEWS
from avatarforge.routes.requests import AvatarBody
from avatarforge.routes.responses import Parameters

ROOT = Path(__file__).resolve().parents[2]
SHEET = replace(spec(), views=SHEET_VIEWS)
SPECS = ROOT / "tests" / "data" / "specs"
TYPES = {
    Text: "string",
    Name: "string",
    Flag: "boolean",
    Whole: "integer",
    Real: "number",
    Choice: "string",
    Loras: "list",
    References: "list",
    Views: "list",
    Conditions: "object",
}


def other_value(field: RequestField, value: Any) -> Any:
    """A valid value that is not this one."""
    match field.rule:
        case Flag():
            return not value
        case Whole() as rule:
            return value + rule.multiple_of
        case Real() as rule:
            return value / 2 if value else rule.maximum
        case _:
            return "another.safetensors"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_changes_the_prompt(name: str) -> None:
    families = [
        row for row in FAMILIES.values() if SETTINGS[name].applies != "family" or name in row.settings
    ]
    assert families
    for family in families[:1] if SETTINGS[name].applies != "family" else families:
        base = replace(SHEET, family=family.name, guidance=3.5, shift=2.0, clip_skip=2)
        base = replace(base, pixel_height=96, pixel_colors=16)
        changed: dict[str, Any] = {name: other_value(SETTINGS[name], getattr(base, name))}
        prompts = [compile_prompt(item, "a").prompt for item in (base, replace(base, **changed))]
        assert prompts[0] != prompts[1]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_row_has_a_value_or_the_declaration_says_what_it_had(name: str) -> None:
    for path in SPECS.iterdir():
        data = json.loads(path.read_text(encoding="utf-8"))
        if name not in data:
            assert getattr(AvatarSpec.from_json(json.dumps(data)), name) == SETTINGS[name].before


def test_the_body_and_the_parameters_have_every_field() -> None:
    assert list(AvatarBody.model_fields) == list(REQUEST_FIELDS)
    repeated = [name for name, field in REQUEST_FIELDS.items() if field.repeated]
    assert list(Parameters.model_fields) == repeated
    for item in (SHEET, replace(SHEET, pose=KEYPOINTS, reference=REFERENCE)):
        assert list(parameters(item, "all_poses")) == repeated


def test_what_a_generation_used_is_a_request_that_repeats_it() -> None:
    full = replace(SHEET, pose=KEYPOINTS, reference=REFERENCE, clothing="a coat")
    body = AvatarBody.model_validate(parameters(full, "all_poses"))
    request = AvatarRequest(**body.model_dump())
    for name in SETTINGS:
        assert getattr(request, name) == getattr(full, name)
    assert (request.pose_file_id, request.pose_mode, request.pose_strength) == (
        KEYPOINTS.file.file_id,
        KEYPOINTS.mode,
        KEYPOINTS.strength,
    )


def test_a_spec_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="incomplete: steps"):
        replace(spec(), steps=None)  # type: ignore[arg-type]


def rows() -> dict[str, str]:
    """Field -> its row in docs/api.md."""
    found: dict[str, str] = {}
    for line in (ROOT / "docs" / "api.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `") and line.count("|") == 5:
            for name in re.findall(r"`(\w+)`", line.split("|")[1]):
                found.setdefault(name, line)
    return found


@pytest.mark.parametrize("name", REQUEST_FIELDS)
def test_every_field_is_documented_with_its_type_and_range(name: str) -> None:
    rule, row = REQUEST_FIELDS[name].rule, rows()[name]
    assert TYPES.get(type(rule), "string") in row.split("|")[2]
    limits: list[Any] = []
    match rule:
        case Text():
            limits = [rule.max_length, *([rule.min_length] if rule.min_length else [])]
        case Whole():
            limits = [rule.minimum, rule.maximum, *([rule.multiple_of] if rule.multiple_of > 1 else [])]
        case Real():
            limits = [int(rule.minimum), int(rule.maximum)]
        case Loras():
            limits = [rule.maximum, rule.minimum, rule.maximum_strength]
        case References():
            limits = [rule.maximum]
        case Conditions():
            limits = [1, rule.most_tries, *(int(scale) for scale in SCALES.values())]
        case Choice():
            limits = [f"`{value}`" for value in rule.values]
    for limit in limits:
        assert re.search(rf"(?<!\w){re.escape(str(limit))}(?!\w)", row.split("|")[3]), (limit, row)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_field_of_the_form_has_its_texts_in_every_language(language: str) -> None:
    path = ROOT / "locales" / language / "main.json"
    texts = json.loads(path.read_text(encoding="utf-8"))["avatarforge"]
    for name, field in REQUEST_FIELDS.items():
        if field.form in ("main", "advanced"):
            assert name in texts
            wanted = {"false", "true"} if isinstance(field.rule, Flag) else set()
            if isinstance(field.rule, Choice):
                wanted = set(field.rule.values) - {field.rule.automatic}
            assert {f"{name}_{value}" for value in wanted} <= set(texts)
