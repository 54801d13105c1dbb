"""Specs and receipts in rows of earlier and of later releases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from specs import KEYPOINTS, REFERENCE, spec

from avatarforge.forge.graphs.compile import compile_prompt
from avatarforge.forge.spec.avatar import SPEC_VERSION, AvatarSpec
from avatarforge.forge.spec.pose import PoseUse
from avatarforge.forge.spec.receipt import RECEIPT_VERSION, Receipt
from avatarforge.forge.spec.reroll import Reroll
from avatarforge.forge.spec.settings import SETTINGS

#: One for each form that a release wrote. Never change one; add the next.
STORED = Path(__file__).resolve().parents[1] / "data" / "specs"
RECEIPTS = STORED.parent / "receipts"


def stored(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORED / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", sorted(STORED.iterdir()), ids=lambda path: path.name)
def test_the_row_of_every_release_still_makes_its_prompt(path: Path) -> None:
    read = AvatarSpec.from_json(path.read_text(encoding="utf-8"))
    prompt = compile_prompt(read, "00000000-0000-4000-8000-00000000000a").prompt
    text = json.dumps(prompt)
    assert read.pose is not None and read.reference is not None
    assert str(read.pose.file.file_id) in text and read.reference.file_id in text
    assert "anime.safetensors" in text and "openpose.safetensors" in text
    assert AvatarSpec.from_json(read.to_json()) == read


def test_a_row_from_before_version_1_means_what_it_meant_then() -> None:
    read = AvatarSpec.from_json(json.dumps(stored("before-version-1.json")))
    assert isinstance(read.pose, PoseUse) and read.reference is not None
    assert (read.pose.plan.treatment, read.pose.strength) == ("skeleton", 0.5)
    assert (read.reference.method, read.reference.strength) == ("attention", 0.8)
    # There were neither built-in skeletons nor shared views.
    assert (read.skeleton_strength, read.consistency, read.turnaround) == (0.0, 0.0, "sequential")


def test_a_row_of_0_1_0_keeps_every_value() -> None:
    data = stored("0.1.0.json")
    written = json.loads(AvatarSpec.from_json(json.dumps(data)).to_json())
    added = {name: setting.before for name, setting in SETTINGS.items() if name not in data}
    expected = {**added, **data, "version": SPEC_VERSION}
    for nested in ("pose", "reference"):
        assert written[nested].items() >= data[nested].items()
        expected[nested] = written[nested]
    # Fields that came later have the values with which the graph is the same.
    assert written.items() >= expected.items()


@pytest.mark.parametrize(
    "name", ["controlnet_is_union", "bones", "skeleton_strength", "consistency", "turnaround", "reseeded"]
)
def test_a_row_that_lacks_a_field_gets_its_default(name: str) -> None:
    data = stored("0.1.0.json")
    del data[name]
    plain = AvatarSpec.__dataclass_fields__[name]
    default = SETTINGS[name].before if name in SETTINGS else plain.default if name != "reseeded" else {}
    assert getattr(AvatarSpec.from_json(json.dumps(data)), name) == default


def test_what_a_later_release_added_stays_where_it_was() -> None:
    data = json.loads(replace(spec(), pose=KEYPOINTS, reference=REFERENCE).to_json())
    data |= {"version": SPEC_VERSION + 1, "guidance": 3.5}
    data["pose"]["hands"] = True
    data["pose"]["file"]["people"] = 2
    data["pose"]["plan"]["score"] = 0.9
    data["reference"]["role"] = "face"
    text = json.dumps(data)
    assert json.loads(AvatarSpec.from_json(text).to_json()) == data
    # A re-roll writes the row again.
    receipt = Receipt.from_json('{"inputs": [], "warnings": [], "scores": [1]}')
    rerolled, after = Reroll(0, "front", 5, ()).apply(AvatarSpec.from_json(text), receipt)
    assert json.loads(rerolled.to_json()) == {**data, "reseeded": {"front": 5}}
    assert json.loads(after.to_json())["scores"] == [1]


def test_a_row_that_lacks_what_cannot_be_guessed_is_named() -> None:
    data = stored("0.1.0.json")
    del data["checkpoint"]
    with pytest.raises(ValueError, match=r"A stored AvatarSpec is incomplete: .*checkpoint"):
        AvatarSpec.from_json(json.dumps(data))


@pytest.mark.parametrize("path", sorted(RECEIPTS.iterdir()), ids=lambda path: path.name)
def test_the_receipt_of_every_release_keeps_every_value(path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    read = Receipt.from_json(json.dumps(data))
    assert {line.role for line in read.inputs} == {"pose", "anchor"}
    assert [warning.detail for warning in read.warnings] == data["warnings"]
    assert json.loads(read.to_json()) == {"version": RECEIPT_VERSION, "warning_details": [], **data}


def test_a_warning_keeps_its_code_and_a_sentence_of_an_earlier_release_has_none() -> None:
    data = json.loads((RECEIPTS / "0.1.0.json").read_text(encoding="utf-8"))
    before = Receipt.from_json(json.dumps(data))
    failed = Reroll(0, "front", 5, ()).fail(spec(), before, "out of memory")
    read = Receipt.from_json(failed.to_json())
    assert read == failed
    assert [warning.code for warning in read.warnings] == [None, "reroll_failed"]
    assert read.warnings[-1].parameters == {"view": "front", "error": "out of memory"}


def test_a_receipt_of_a_later_release_keeps_what_it_added() -> None:
    data = json.loads((RECEIPTS / "0.1.0.json").read_text(encoding="utf-8"))
    data |= {"version": RECEIPT_VERSION + 1, "scores": [0.5], "warning_details": []}
    data["inputs"][0]["person"] = 2
    assert json.loads(Receipt.from_json(json.dumps(data)).to_json()) == data
