"""The folder for kohya's sd-scripts, by the rules of its docs/config_README-en.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from exporting import RED, Drawn, export_pictures, made, manifest_in, material_of

from avatarforge.forge.export.lora import captions, default_repeats, resolution_of
from avatarforge.forge.export.naming import Shows
from avatarforge.forge.export.selection import ExportPicture

tomllib = pytest.importorskip("tomllib", reason="of Python 3.11")

GENERAL, DATASET, SUBSET = "general", "dataset", "subset"
#: The options that the README lists: where each may stand, and what its value is.
OPTIONS: dict[str, tuple[set[str], Any]] = {
    "batch_size": ({GENERAL, DATASET}, int),
    "bucket_no_upscale": ({GENERAL, DATASET}, bool),
    "bucket_reso_steps": ({GENERAL, DATASET}, int),
    "enable_bucket": ({GENERAL, DATASET}, bool),
    "max_bucket_reso": ({GENERAL, DATASET}, int),
    "min_bucket_reso": ({GENERAL, DATASET}, int),
    "resolution": ({GENERAL, DATASET}, (int, list)),
    "keep_tokens": ({GENERAL, DATASET, SUBSET}, int),
    "num_repeats": ({GENERAL, DATASET, SUBSET}, int),
    "shuffle_caption": ({GENERAL, DATASET, SUBSET}, bool),
    "caption_prefix": ({GENERAL, DATASET, SUBSET}, str),
    "image_dir": ({SUBSET}, str),
    "caption_extension": ({GENERAL, DATASET, SUBSET}, str),
    "class_tokens": ({SUBSET}, str),
    "is_reg": ({SUBSET}, bool),
}
#: Files that sd-scripts takes for pictures.
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
SHOWS = [Shows("Winter coat", "happy", None, "front"), Shows("Winter coat", "sad", None, "back")]
WORDS = [
    {"clothing": "a red coat", "prompt": "a knight", "expression": "happy,\nsmile", "view": "front view, "},
    {"clothing": "a red coat", "prompt": "a knight", "expression": "sad, frown", "view": "back view"},
]


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[ExportPicture, ...]:
    return export_pictures(tmp_path, [Drawn(), Drawn(colour=RED)], SHOWS, WORDS)


def check_options(table: dict[str, Any], place: str) -> None:
    for name, value in table.items():
        if name in ("datasets", "subsets"):
            continue
        places, kind = OPTIONS[name]
        assert place in places, name
        assert isinstance(value, kind) and not (kind is int and isinstance(value, bool)), name


def test_the_folder_follows_kohyas_rules(pictures: tuple[ExportPicture, ...]) -> None:
    members = made(material_of("lora", pictures, name="Old Mira"))
    config = tomllib.loads(members["dataset.toml"].decode())
    assert config.keys() == {"general", "datasets"}
    check_options(config["general"], GENERAL)
    (dataset,) = config["datasets"]
    check_options(dataset, DATASET)
    (subset,) = dataset["subsets"]
    check_options(subset, SUBSET)
    repeats, trigger = re.fullmatch(r"(\d+)_(\w+)", subset["image_dir"]).groups()  # type: ignore[union-attr]
    assert (int(repeats), trigger) == (subset["num_repeats"], "oldmira")
    inside = [name for name in members if name.startswith(f"{subset['image_dir']}/")]
    shown = [name for name in inside if name.endswith(PICTURES)]
    # "Images must be placed directly under the directory", and each has a caption of its own.
    assert all(name.count("/") == 1 for name in inside)
    extension = config["general"]["caption_extension"]
    assert {*inside} == {*shown, *(name.rpartition(".")[0] + extension for name in shown)}
    assert len(shown) == 2
    for name in shown:
        caption = members[name.rpartition(".")[0] + extension].decode()
        tags = caption.removesuffix("\n").split(", ")
        # `keep_tokens` first tags stay: the trigger word.
        assert tags[: config["general"]["keep_tokens"]] == [trigger]
        assert "\n" not in caption[:-1] and all(tags) and len(set(tags)) == len(tags)
    entries = manifest_in(members)["pictures"]
    assert [entry["member"] for entry in entries] == shown
    assert [members[entry["caption"]].decode() for entry in entries] == [
        "oldmira, happy, smile, front view\n",
        "oldmira, sad, frown, back view\n",
    ]


def test_a_caption_says_only_what_varies(pictures: tuple[ExportPicture, ...]) -> None:
    assert captions(pictures[:1], "mira") == ["mira"]
    assert all("coat" not in text and "knight" not in text for text in captions(pictures, "mira"))


def test_trigger_and_repeats_can_be_chosen(pictures: tuple[ExportPicture, ...]) -> None:
    members = made(material_of("lora", pictures, trigger="m1ra", repeats=7))
    assert "7_m1ra/happy_front.png" in members
    assert members["7_m1ra/sad_back.txt"].startswith(b"m1ra, ")


def test_repeats_and_resolution_follow_the_pictures(tmp_path: Path) -> None:
    assert [default_repeats(number) for number in (1, 4, 10, 60, 1000)] == [100, 25, 10, 2, 1]
    for size, resolution in (((64, 64), 512), ((512, 768), 512), ((832, 1216), 1024), ((1024, 1536), 1024)):
        assert resolution_of(export_pictures(tmp_path, [Drawn(size=size)])) == resolution
