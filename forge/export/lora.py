"""The format lora: a folder for kohya's sd-scripts, with pictures, captions and dataset.toml.

Sources: docs/config_README-en.md and docs/train_README of sd-scripts: a folder is named REPEATS_WORDS, the
caption of NAME.png is NAME.txt, and `keep_tokens` first tags of a caption stay when the others are shuffled.
"""

from __future__ import annotations

from collections.abc import Sequence

from .limits import MOST_REPEATS
from .material import Material, Plan, file_part
from .members import TextPart
from .selection import ExportPicture

#: Pictures that an epoch shows, about: a few are repeated.
STEPS = 100
#: Sides of the square with as many pixels as a bucket, by the model families that are trained.
RESOLUTIONS = (512, 768, 1024)
#: What of a picture its caption can say, in this order.
_TOLD = ("prompt", "clothing", "expression", "pose", "view", "style")


def plan_lora(material: Material) -> Plan:
    pictures = material.pictures
    trigger = material.options.trigger or default_trigger(material.slug)
    repeats = material.options.repeats or default_repeats(len(pictures))
    folder = f"{repeats}_{trigger}"
    texts = captions(pictures, trigger)
    parts: list[TextPart] = [
        TextPart("dataset.toml", dataset_toml(folder, repeats, resolution_of(pictures)).encode())
    ]
    members = {index: f"{folder}/{picture.name}.png" for index, picture in enumerate(pictures)}
    told = {index: f"{folder}/{picture.name}.txt" for index, picture in enumerate(pictures)}
    files = [
        part
        for index, picture in enumerate(pictures)
        for part in (
            file_part(members[index], picture),
            TextPart(told[index], f"{texts[index]}\n".encode()),
        )
    ]
    return Plan(material.manifest(members=members, captions=told), [*parts, *files])


def captions(pictures: Sequence[ExportPicture], trigger: str) -> list[str]:
    """The trigger word, then only what varies between these pictures: what they share is learned as what the
    word means."""
    varying = [name for name in _TOLD if len({picture.words.get(name, "") for picture in pictures}) > 1]
    return [
        ", ".join([trigger, *(_tags(picture.words[name]) for name in varying if picture.words.get(name))])
        for picture in pictures
    ]


def _tags(text: str) -> str:
    """On one line, without empty tags."""
    tags = (" ".join(tag.split()) for tag in text.replace("\n", ",").split(","))
    return ", ".join(tag for tag in tags if tag)


def default_trigger(slug: str) -> str:
    return slug.replace("-", "")


def default_repeats(pictures: int) -> int:
    return max(1, min(MOST_REPEATS, round(STEPS / pictures)))


def resolution_of(pictures: Sequence[ExportPicture]) -> int:
    """The largest of RESOLUTIONS for which the middle picture is not enlarged much."""
    areas = sorted(picture.output.width * picture.output.height for picture in pictures)
    side = areas[len(areas) // 2] ** 0.5
    return max([resolution for resolution in RESOLUTIONS if resolution <= side * 1.1], default=RESOLUTIONS[0])


def dataset_toml(folder: str, repeats: int, resolution: int) -> str:
    return f"""# For sd-scripts: --dataset_config dataset.toml, started in this folder.
[general]
shuffle_caption = true
caption_extension = ".txt"
keep_tokens = 1

[[datasets]]
resolution = {resolution}
batch_size = 1
enable_bucket = true
bucket_no_upscale = true

  [[datasets.subsets]]
  image_dir = "{folder}"
  num_repeats = {repeats}
"""
