"""The manifest of a character's file: whatever a character has comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatarforge.forge.characters.content import content_values, make_content
from avatarforge.forge.errors import RejectedUploadError
from avatarforge.forge.export.manifest import (
    LONGEST_NOTE,
    Manifest,
    ManifestFile,
    ManifestVersion,
    manifest_bytes,
    read_manifest,
    written_time,
)
from avatarforge.forge.spec.reference import REFERENCE_ROLES
from avatarforge.forge.spec.views import VIEW_NAMES
from avatarforge.routes.character_requests import read_content

ID = "22222222-2222-4222-8222-222222222222"
TIMES = st.integers(0, 253_402_300_799_999_999)  # to the end of the year 9999
LETTERS = st.characters(blacklist_categories=("Cc", "Cs"))


def texts(longest: int, shortest: int = 1) -> st.SearchStrategy[str]:
    """As the API takes them: without spaces around them."""
    made = st.text(LETTERS, min_size=shortest, max_size=longest)
    return made.filter(lambda text: text == text.strip() != "")


FILE_IDS = st.uuids(version=4).map(str)
STRENGTHS = st.floats(0, 1)
CONTENTS = st.fixed_dictionaries(
    {"name": texts(20), "description": texts(60)},
    optional={
        "negative": texts(30) | st.none(),
        "clothing": texts(30) | st.none(),
        "style": texts(30) | st.none(),
        "realism": st.booleans() | st.none(),
        "seed": st.integers(0, 2**64 - 1) | st.none(),
        "references": st.lists(
            st.fixed_dictionaries(
                {"file_id": FILE_IDS, "role": st.sampled_from(REFERENCE_ROLES), "strength": STRENGTHS},
                optional={"view": st.sampled_from(VIEW_NAMES) | st.none()},
            ),
            max_size=3,
        ),
        "loras": st.lists(
            st.fixed_dictionaries(
                {"name": texts(20)},
                optional={"strength": st.floats(-4, 4), "clip_strength": st.floats(-4, 4) | st.none()},
            ),
            max_size=2,
        ),
        "outfits": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["Winter coat", "ßuit", "東京"]), "words": texts(20)},
                optional={"file_id": FILE_IDS | st.none()},
            ),
            max_size=3,
            unique_by=lambda outfit: outfit["name"],
        ),
        "expressions": st.lists(
            st.fixed_dictionaries({"name": st.just("smug"), "words": texts(20)}), max_size=1
        ),
        "defaults": st.fixed_dictionaries(
            {},
            optional={
                "width": st.just(512),
                "cfg": st.floats(1, 20),
                "pose_id": texts(20),
                "views": st.lists(st.sampled_from(VIEW_NAMES), min_size=1, max_size=4, unique=True),
            },
        ),
        "model": texts(20),
    },
)


def manifest(contents: list[dict[str, object]], times: list[int], **values: object) -> Manifest:
    versions = [
        ManifestVersion(version=number, created_at=written_time(time), content=content)
        for number, (content, time) in enumerate(zip(contents, times, strict=True), 3)
    ]
    head = {"format": "avatarforge-character", "format_version": 1, "exported_by": "a", "licence_note": ""}
    given = {**head, "character_id": ID, "versions": versions, "files": [], "poses": [], "templates": []}
    return Manifest.model_validate({**given, **values})


@settings(deadline=None, max_examples=80)
@given(versions=st.lists(st.tuples(CONTENTS, TIMES), min_size=1, max_size=3), keep=st.integers(1, 4))
def test_what_is_written_is_read(versions: list[tuple[dict[str, object], int]], keep: int) -> None:
    contents = [make_content(read_content(content)) for content, _ in versions]
    times = [time for _, time in versions]
    written = manifest([content_values(content) for content in contents], times)
    raw = manifest_bytes(written)
    again, read = read_manifest(raw, read_content, keep)
    assert again == written
    assert manifest_bytes(again) == raw
    assert [make_content(version.values) for version in read] == contents[-keep:]
    assert [version.created_at for version in read] == times[-keep:]
    assert [version.number for version in read] == list(range(3, 3 + len(versions)))[-keep:]
    assert [version.file_ids for version in read] == [set(content.file_ids) for content in contents[-keep:]]


def test_limits_are_those_that_the_document_names() -> None:
    file = {"sha256": "0" * 64, "size": 1, "filename": "a", "member": f"files/{'0' * 64}.png"}
    files = [ManifestFile.model_validate({**file, "file_id": ID})] * 4_001
    with pytest.raises(ValueError, match="4000"):
        manifest([{}], [0], files=files)
    with pytest.raises(ValueError, match="10000"):
        manifest([{}] * 10_001, [0] * 10_001)
    with pytest.raises(ValueError, match=str(LONGEST_NOTE)):
        manifest([{}], [0], licence_note="x" * 2_001)
    many = b'{"a": [' + b"0," * 1_000_001 + b"0]}"
    for raw, said in ((many, "1000000 values"), (b'{"a":' * 13 + b"1" + b"}" * 13, "12 arrays")):
        with pytest.raises(RejectedUploadError, match=said):
            read_manifest(raw, read_content, 1)
