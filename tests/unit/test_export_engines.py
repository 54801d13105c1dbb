"""The formats for engines, on constructed pictures whose frames and pivot are known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from exporting import BLUE, GREEN, RED, Drawn, export_pictures, made, manifest_in, material_of, picture_in
from godot_resource import Call, StringName, parse

from avatarforge.forge.errors import TooLargeError
from avatarforge.forge.export import atlas as atlas_module
from avatarforge.forge.export.atlas import PADDING, lay_out
from avatarforge.forge.export.godot import quoted
from avatarforge.forge.export.limits import MOST_SIDE
from avatarforge.forge.export.naming import Shows
from avatarforge.forge.export.picture_manifest import ExportFormat
from avatarforge.forge.export.selection import ExportPicture
from avatarforge.forge.export.story_formats import RENPY_WORDS, camel, renpy_word, renpy_words

#: A figure of 24 x 80 pixels, and one that reaches 4 pixels further to the left of its feet.
NARROW, WIDE = Drawn(background=None), Drawn(body=(16, 10, 44, 80), background=None, colour=BLUE)
# Around the feet: 16 pixels to the left, 12 to the right.
WIDTH, HEIGHT, PIVOT = 28, 80, (16, 80)
SHOWS = [
    Shows(expression="happy", view="front"),
    Shows(expression="happy", view="back"),
    Shows(expression="sad", view="front"),
]
NAMES = ["happy_front", "happy_back", "sad_front"]


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[ExportPicture, ...]:
    return export_pictures(tmp_path, [NARROW, WIDE, Drawn(background=None, colour=GREEN)], SHOWS)


def read(pictures: tuple[ExportPicture, ...], kind: ExportFormat, **options: Any) -> dict[str, bytes]:
    return made(material_of(kind, pictures, **options))


def places(members: dict[str, bytes]) -> dict[str, tuple[int, int]]:
    """The corners of the frames by the manifest, after a check that the figures are there."""
    manifest = manifest_in(members)
    assert manifest["frames"] == {
        "width": WIDTH,
        "height": HEIGHT,
        "pivot": list(PIVOT),
        "pivot_share": [round(PIVOT[0] / WIDTH, 6), 1.0],
    }
    found = {}
    for entry, colour in zip(manifest["pictures"], (RED, BLUE, GREEN), strict=True):
        frame = entry["frame"]
        assert (frame["width"], frame["height"]) == (WIDTH, HEIGHT)
        image = picture_in(members, frame["image"]).convert("RGBA")
        shown = image.crop((frame["x"], frame["y"], frame["x"] + WIDTH, frame["y"] + HEIGHT))
        assert shown.getpixel((PIVOT[0], PIVOT[1] - 1)) == (*colour, 255)
        alpha = shown.getchannel("A")
        assert alpha.getbbox() == ((4 if colour != BLUE else 0), 0, 28, 80)
        found[entry["name"]] = (frame["x"], frame["y"])
    assert [*found] == NAMES
    return found


@pytest.mark.parametrize(
    ("number", "width", "height"), [(1, 1, 1), (3, 28, 80), (4, 100, 200), (1000, 120, 250), (7, 4000, 30)]
)
def test_an_atlas_has_powers_of_two_and_frames_that_do_not_touch(
    number: int, width: int, height: int
) -> None:
    atlas = lay_out(number, width, height)
    assert atlas is not None and len(atlas.corners) == number
    for side in (atlas.width, atlas.height):
        assert side & (side - 1) == 0 and side <= MOST_SIDE
    boxes = {(x, y, x + width, y + height) for x, y in atlas.corners}
    assert len(boxes) == number
    for x, y, right, bottom in boxes:
        assert x >= PADDING and y >= PADDING
        assert right + PADDING <= atlas.width and bottom + PADDING <= atlas.height
        assert (x - PADDING) % (width + PADDING) == (y - PADDING) % (height + PADDING) == 0


def test_no_atlas_is_larger_than_the_limit() -> None:
    assert lay_out(1, MOST_SIDE - 2 * PADDING, MOST_SIDE - 2 * PADDING) is not None
    assert lay_out(1, MOST_SIDE - 2 * PADDING + 1, 16) is None
    assert lay_out(1000, 512, 1024) is None


def test_frames_that_do_not_fit_are_refused_with_a_height_that_does(
    pictures: tuple[ExportPicture, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atlas_module, "MOST_SIDE", 64)
    with pytest.raises(TooLargeError) as refused:
        read(pictures, "atlas")
    height = int(re.findall(r"height=(\d+)", str(refused.value))[0])
    assert 16 <= height < HEIGHT
    assert picture_in(read(pictures, "atlas", height=height), "mira.png").size == (64, 64)
    with pytest.raises(TooLargeError):
        read(pictures, "atlas", height=height + 6)


def test_texture_packer_json_as_hash_and_array(pictures: tuple[ExportPicture, ...]) -> None:
    members = read(pictures, "atlas")
    assert [*members] == ["manifest.json", "mira.png", "mira.json", "mira.array.json"]
    corners = places(members)
    as_hash, as_array = json.loads(members["mira.json"]), json.loads(members["mira.array.json"])
    assert [*as_hash["frames"]] == NAMES
    assert [{**entry, "filename": name} for name, entry in as_hash["frames"].items()] == as_array["frames"]
    for name, entry in as_hash["frames"].items():
        x, y = corners[name]
        assert entry["frame"] == {"x": x, "y": y, "w": WIDTH, "h": HEIGHT}
        assert entry["spriteSourceSize"] == {"x": 0, "y": 0, "w": WIDTH, "h": HEIGHT}
        assert entry["sourceSize"] == {"w": WIDTH, "h": HEIGHT}
        assert (entry["rotated"], entry["trimmed"]) == (False, False)
        assert entry["pivot"] == entry["anchor"] == {"x": round(PIVOT[0] / WIDTH, 6), "y": 1.0}
    assert as_hash["animations"] == {"happy": NAMES[:2], "sad": NAMES[2:]}
    image = picture_in(members, "mira.png")
    assert as_hash["meta"]["size"] == {"w": image.width, "h": image.height}
    assert as_hash["meta"]["image"] == "mira.png"
    # Between frames nothing is drawn.
    columns = {x for x, _ in corners.values()}
    assert all(image.getpixel((x - 1, y - 1)) == (0, 0, 0, 0) for x in columns for _, y in corners.values())


def test_aseprite_has_tags_durations_and_a_slice_with_the_pivot(pictures: tuple[ExportPicture, ...]) -> None:
    members = read(pictures, "aseprite")
    corners = places(members)
    data = json.loads(members["mira.json"])
    assert [*data["frames"]] == NAMES
    for name, entry in data["frames"].items():
        assert (entry["frame"]["x"], entry["frame"]["y"]) == corners[name]
        assert entry["duration"] == 100
    tags = [(tag["name"], tag["from"], tag["to"], tag["direction"]) for tag in data["meta"]["frameTags"]]
    assert tags == [("happy", 0, 1, "forward"), ("sad", 2, 2, "forward")]
    (piece,) = data["meta"]["slices"]
    assert piece["keys"][0]["pivot"] == {"x": PIVOT[0], "y": PIVOT[1]}
    assert piece["keys"][0]["bounds"] == {"x": 0, "y": 0, "w": WIDTH, "h": HEIGHT}


def test_unity_counts_from_the_lower_left_corner(pictures: tuple[ExportPicture, ...]) -> None:
    members = read(pictures, "unity")
    corners = places(members)
    sprites = json.loads(members["mira.json"])
    tall = picture_in(members, "mira.png").height
    assert [sprite["name"] for sprite in sprites] == NAMES
    for sprite in sprites:
        x, y = corners[sprite["name"]]
        assert sprite["rect"] == {"x": x, "y": tall - y - HEIGHT, "width": WIDTH, "height": HEIGHT}
        assert (sprite["alignment"], sprite["pivot"]) == (9, {"x": round(PIVOT[0] / WIDTH, 6), "y": 0.0})
        assert sprite["texture"] == "mira.png"


def test_godot_frames_and_scene_follow_the_grammar(pictures: tuple[ExportPicture, ...]) -> None:
    members = read(pictures, "godot")
    corners = places(members)
    frames = parse(members["mira.tres"].decode())
    assert frames.kind == "SpriteFrames"
    (texture,) = frames.external.values()
    assert (texture.tags["type"], texture.tags["path"]) == ("Texture2D", "mira.png")
    regions = []
    for section in frames.internal.values():
        assert section.tags["type"] == "AtlasTexture"
        assert section.values["atlas"] == Call("ExtResource", (texture.tags["id"],))
        regions.append(section.values["region"])
    assert regions == [Call("Rect2", (*corners[name], WIDTH, HEIGHT)) for name in NAMES]
    animations = frames.main[0].values["animations"]
    assert [item["name"] for item in animations] == [StringName("happy"), StringName("sad")]
    ids = [*frames.internal]
    shown = [[frame["texture"].values[0] for frame in item["frames"]] for item in animations]
    assert shown == [ids[:2], ids[2:]]
    assert {(item["loop"], item["speed"]) for item in animations} == {(True, 10.0)}
    scene = parse(members["mira.tscn"].decode())
    (node,) = scene.main
    assert (node.tags["name"], node.tags["type"]) == ("mira", "AnimatedSprite2D")
    assert (node.values["centered"], node.values["offset"]) == (False, Call("Vector2", (-16, -80)))
    assert node.values["animation"] == StringName("happy")


def test_the_parser_of_godots_grammar_is_strict() -> None:
    whole = (
        '[gd_resource type="A" load_steps=2 format=3]\n[sub_resource type="B" id="1"]\nx = 1\n[resource]\n'
    )
    fine = f'{whole}y = [SubResource("1")]\n'
    assert parse(fine).main[0].values == {"y": [Call("SubResource", ("1",))]}
    for broken in (
        fine.replace("load_steps=2", "load_steps=3"),
        fine.replace('SubResource("1")', 'SubResource("2")'),
        fine.replace('("1")]', '("1"),]'),
        fine.replace('("1")]', '("1")'),
        fine.replace("format=3", "format=2"),
        fine.replace("x = 1", "x = 1\nx = 2"),
        fine.replace("x = 1", "x = one"),
        fine.replace("x = 1", 'x = "1'),
        f"{whole}y = 1\n",
    ):
        with pytest.raises(AssertionError):
            parse(broken)
    assert parse(f'[gd_resource type="A" load_steps=1 format=3]\n[resource]\nx = {quoted("a")}\n').kind == "A"
    assert quoted('a"b\\') == '"a\\"b\\\\"'


def test_rpgmaker_has_pictures_and_walking_characters_of_four_directions(tmp_path: Path) -> None:
    colours = {"front": RED, "side": BLUE, "right": GREEN, "back": (90, 90, 90), "quarter": (1, 2, 3)}
    pictures = export_pictures(
        tmp_path,
        [Drawn(background=None, colour=colour) for colour in colours.values()],
        [Shows(view=view) for view in colours],
    )
    members = read(pictures, "rpgmaker", name="Old Mira")
    assert {*members} == {
        "manifest.json",
        *(f"img/pictures/OldMira_{view.capitalize()}.png" for view in colours),
        "img/characters/$OldMira.png",
    }
    walking = picture_in(members, "img/characters/$OldMira.png")
    assert walking.size == (3 * 24, 4 * 80)
    for row, view in enumerate(("front", "side", "right", "back")):
        for column in range(3):
            assert walking.getpixel((column * 24 + 12, row * 80 + 40)) == (*colours[view], 255)
    without = read(pictures[:2], "rpgmaker")
    assert not [name for name in without if name.startswith("img/characters")]
    assert picture_in(members, "img/pictures/OldMira_Front.png").size == (24, 80)


def test_renpy_finds_each_picture_as_an_image_with_attributes(pictures: tuple[ExportPicture, ...]) -> None:
    members = read(pictures, "renpy", name="If")
    assert [*members][1:] == [f"images/if_/if_ {name.replace('_', ' ')}.png" for name in NAMES]
    assert {picture_in(members, name).size for name in [*members][1:]} == {(WIDTH, HEIGHT)}
    places(members)


@pytest.mark.parametrize("kind", ["rpgmaker", "renpy"])
def test_no_two_members_are_the_same_file_on_windows(tmp_path: Path, kind: ExportFormat) -> None:
    outfits = ("winter-coat", "wintercoat", "winter coat!", "2", "n2", "con", "\u51ac")
    shows = [Shows(outfit, view=view) for outfit in outfits for view in ("front", "left", "right", "back")]
    pictures = export_pictures(tmp_path, [Drawn(background=None)] * len(shows), shows)
    members = [name for name in read(pictures, kind, name="Aux") if name != "manifest.json"]
    assert len({name.casefold() for name in members}) == len(members) >= len(shows)
    for name in members:
        for part in name.split("/"):
            assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", part), name
            assert re.fullmatch(r"[\w$ -]+(\.png)?", part, re.ASCII), name


def test_the_parts_of_renpys_names_are_no_words_of_its_language() -> None:
    assert renpy_words("winter-coat_at_2_con-") == ["winter_coat", "at_", "n2", "con_"]
    for word in (*RENPY_WORDS, "3d", "x-y-z", "happy"):
        assert re.fullmatch("[a-z][a-z0-9_]*", renpy_word(word)) and renpy_word(word) not in RENPY_WORDS
    assert camel("winter-coat_happy_2") == "WinterCoat_Happy_2"


def test_a_sheet_has_one_scale_one_baseline_and_the_palette(pictures: tuple[ExportPicture, ...]) -> None:
    members = read(pictures, "sheet")
    assert [*members] == ["manifest.json", "mira.png"]
    manifest, sheet = manifest_in(members), picture_in(members, "mira.png")
    assert sheet.mode == "RGB"
    frames = [entry["frame"] for entry in manifest["pictures"]]
    for frame, colour in zip(frames, (RED, BLUE, GREEN), strict=True):
        assert sheet.getpixel((frame["x"] + PIVOT[0], frame["y"] + PIVOT[1] - 1)) == colour
    by_name = {entry["name"]: entry["frame"] for entry in manifest["pictures"]}
    assert by_name["happy_front"]["y"] == by_name["happy_back"]["y"] != by_name["sad_front"]["y"]
    assert {frame["height"] for frame in frames} == {HEIGHT}
    colours = {f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in (RED, BLUE, GREEN)}
    assert {*manifest["palette"]} == colours
    strip = sheet.crop((0, sheet.height - 70, sheet.width, sheet.height - 40))
    assert {RED, BLUE, GREEN} <= {colour for _, colour in strip.getcolors(1 << 16) or ()}


def test_a_sheet_that_would_be_too_large_is_scaled_down(
    pictures: tuple[ExportPicture, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatarforge.forge.export.character_sheet.MOST_SIDE", 260)
    members = read(pictures, "sheet")
    sheet, manifest = picture_in(members, "mira.png"), manifest_in(members)
    assert max(sheet.size) <= 260
    assert 0 < manifest["frames"]["height"] < HEIGHT
