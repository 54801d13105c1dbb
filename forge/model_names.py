"""Guesses from the name of a model file: its words, its family, and whether it is for a special task.

If a file has a header, the header decides (`host/model_kinds.py`). The name decides for files without one
(pickles), and for what no header contains, such as the kind of hint that a ControlNet expects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from .families import MODEL_FAMILIES, UNNAMED_FAMILY
from .ports import ControlKind, ModelFile

#: Splits letters by camel case, and digits. In many names XL is joined to a version or variant: "dreamXLv10".
_WORD = re.compile(
    r"SDXL|[A-Z]*XL(?=[vV]?\d|base|turbo|lightning|lcm|inpaint|refiner)"
    r"|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+"
)
_EXTENSION = re.compile(r"\.(safetensors|sft|ckpt|pth|pt2?|bin|pkl)$", re.IGNORECASE)

# Names of unsupported families. Version 2 of Stable Diffusion was released as "v2-1_768".
_OTHER_FAMILIES = re.compile(
    r"\b(flux|wan|wan ?video|qwen|hun ?yuan\w*|z ?image|lumina|chroma|cascade|pix ?art|kolors"
    r"|aura ?flow|hi ?dream|ltxv?|mochi|cosmos|omni ?gen|svd|ssd|zero 123|upscaler|refiner)\b"
    r"|\b(sd|stable ?diffusion)( v)? (2|3|20|21|35)\b|^v 2 [01]\b|\b768 v\b|\b512 base\b"
)
# Checkpoints that need other inputs than text, or refine the output of another one.
_SPECIAL_CHECKPOINT = re.compile(
    r"in ?paint|out ?paint|\brefiner\b|\binstruct ?pix|\bpix 2 pix\b|\bip 2 p\b|\bdepth\b|\btile\b"
    r"|\bupscaler?\b"
)
# Checkpoints distilled to a few steps: their family's steps and cfg do not suit them.
_FEW_STEPS = re.compile(r"\b(sdxl)?(lcm|turbo|lightning|hyper|dmd|flash|schnell)\b|\b[1248] ?steps?\b")

_POSE = re.compile(r"open ?pose|\bdw ?pose|\bposes?\b|\bunion|\bcontrolnetunion|\bpro ?max\b")
_POSE_ONLY = re.compile(r"open ?pose|\bdw ?pose")
_UNION = re.compile(r"\bunion|\bcontrolnetunion|\bpro ?max\b")
# They expect another drawing than the skeleton of a person.
_NOT_FOR_PEOPLE = re.compile(r"\banimal|\bdense ?pose")
_OTHER_HINTS = re.compile(
    r"canny|depth|\bnormal|\btile|in ?paint|\bseg\b|segment|soft ?edge|\bhed\b|scribble|sketch|line ?art|mlsd"
    r"|\bip 2 p\b|shuffle|\bqr|\bblur|recolor|\bcolou?r\b|\bstyle\b|\bhands?\b|\bface|mediapipe"
)
_CONTROL_LORA = re.compile(r"\bcontrol ?lo ?ra\b")
_T2I_ADAPTER = re.compile(r"\bt 2 i ?adapters?\b|\bcoadapter")
_LLLITE = re.compile(r"ll ?lite\b")

_CERTAIN = {row.name: re.compile(row.file_names) for row in MODEL_FAMILIES.values() if row.file_names}
_LIKELY = {row.name: re.compile(row.likely_names) for row in MODEL_FAMILIES.values() if row.likely_names}

Hints = Literal["pose", "unknown", "other", "not people"]


def words_of(name: str) -> str:
    """The words of a path in lower case, separated by spaces: "SDXL/OpenPose.bin" gives "sdxl open pose"."""
    return " ".join(part for part in _words_by_part(name) if part)


def guess_family(name: str) -> str | None:
    """The family that a path names, the file name before its folders; None for an unsupported family, and
    UNNAMED_FAMILY if it names none."""
    for words in reversed(_words_by_part(name)):
        if _OTHER_FAMILIES.search(words):
            return None
        for patterns in (_CERTAIN, _LIKELY):
            for family, pattern in patterns.items():
                if pattern.search(words):
                    return family
    return UNNAMED_FAMILY


def guess_control_kind(name: str) -> ControlKind:
    """The kind of a control model that cannot be inspected."""
    words = words_of(name)
    if _CONTROL_LORA.search(words):
        return "Control-LoRA"
    if _T2I_ADAPTER.search(words):
        return "T2I adapter"
    return "ControlNet-LLLite" if _LLLITE.search(words) else "ControlNet"


def names_union(name: str) -> bool:
    """Whether the name is that of a ControlNet for several kinds of hints."""
    return bool(_UNION.search(words_of(name)))


def is_special_checkpoint(model: ModelFile) -> bool:
    """Whether it is for inpainting, refining, or anything else but plain text-to-image."""
    return model.special or bool(_SPECIAL_CHECKPOINT.search(words_of(model.name)))


def takes_few_steps(name: str) -> bool:
    return bool(_FEW_STEPS.search(words_of(name)))


def hints_of(model: ModelFile) -> Hints:
    """The hints that a control model expects: the skeleton of a person ("pose"), something else, or
    unknown."""
    words = words_of(model.name)
    if _NOT_FOR_PEOPLE.search(words):
        return "not people"
    if model.union or _POSE.search(words):
        return "pose"
    return "other" if _OTHER_HINTS.search(words) else "unknown"


def names_openpose(name: str) -> bool:
    return bool(_POSE_ONLY.search(words_of(name)))


def names_other_hints(name: str) -> bool:
    return bool(_OTHER_HINTS.search(words_of(name)))


def find_model(models: Sequence[ModelFile], name: str) -> ModelFile | None:
    """The model with this name. An exact match wins; otherwise `\\` and `/` are equal, because the name may
    come from another operating system."""
    exact = next((model for model in models if model.name == name), None)
    if exact is not None:
        return exact
    wanted = _with_slashes(name)
    return next((model for model in models if _with_slashes(model.name) == wanted), None)


def _with_slashes(name: str) -> str:
    return name.replace("\\", "/")


@lru_cache(maxsize=4096)
def _words_by_part(name: str) -> tuple[str, ...]:
    """The words of each folder, and of the file without its extension."""
    *folders, file = _with_slashes(name).split("/")
    parts = (*folders, _EXTENSION.sub("", file))
    return tuple(" ".join(_WORD.findall(part)).lower() for part in parts)
