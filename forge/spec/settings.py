"""The settings of a picture, which a client may choose and a spec stores."""

from __future__ import annotations

from dataclasses import dataclass

from .expressions import EXPRESSION_NAMES
from .fields import Choice, Flag, Name, Real, Text, Whole, declare, declared_fields
from .styles import STYLE_NAMES
from .views import ELEVATIONS, Elevation

#: Colours of the palette of a picture that is reduced to large pixels.
PIXEL_COLORS = 32
CONSISTENCY = 0.7
#: How many seeds there are. After the last one comes 0.
SEEDS = 2**64


@dataclass(frozen=True)
class AvatarSettings:
    """The base of `AvatarRequest` and `AvatarSpec`.

    In a request, None means "not chosen" in every field. In a spec, each field has a value of its type.
    """

    prompt: str = declare(Text(10_000, min_length=1, rows=4), "Detailed avatar description.", form="main")
    clothing: str | None = declare(Text(2_000), "Specific clothing details.", form="main")
    style: str | None = declare(
        Text(500, suggestions=STYLE_NAMES),
        "Art style: one of GET /styles with words of its own, or any text.",
        form="main",
    )
    realism: bool = declare(Flag(), "true: realistic, false: anime.", default=False, form="main")
    expression: str | None = declare(
        Text(100, suggestions=EXPRESSION_NAMES),
        "Expression of the face, by its name: a built-in one, or one of the character.",
        before=None,
        form="main",
    )
    elevation: Elevation = declare(
        Choice(ELEVATIONS, automatic="level", stored=ELEVATIONS),
        "Height of the camera: level with the figure, above or below it.",
        default="level",
        before="level",
        form="advanced",
    )
    negative_prompt: str | None = declare(Text(10_000, rows=2), "What must not be seen.", form="advanced")
    width: int = declare(Whole(64, 4096, multiple_of=8), "Pixels.", form="advanced")
    height: int = declare(Whole(64, 4096, multiple_of=8), "Pixels.", form="advanced")
    steps: int = declare(Whole(1, 150), "Sampling steps.", form="advanced")
    cfg: float = declare(Real(0, 30, step=0.5), "Classifier-free guidance scale.", form="advanced")
    sampler: str = declare(Name(100, "samplers"), "A sampler of this ComfyUI.", form="advanced")
    scheduler: str = declare(Name(100, "schedulers"), "A scheduler of this ComfyUI.", form="advanced")
    guidance: float | None = declare(
        Real(0, 100, step=0.5),
        "Strength of the words in a model with distilled guidance.",
        before=None,
        form="advanced",
        applies="family",
    )
    shift: float | None = declare(
        Real(0, 100, step=0.1),
        "Shift of the noise levels of a flow model: higher spends more steps on the composition.",
        before=None,
        form="advanced",
        applies="family",
    )
    clip_skip: int | None = declare(
        Whole(1, 12),
        "Which layer of the CLIP text encoder is read, counted from the last.",
        before=None,
        form="advanced",
        applies="family",
    )
    pixel_height: int | None = declare(
        Whole(16, 512),
        "Reduce the finished picture to large pixels, at most so many from top to bottom.",
        before=None,
        form="advanced",
    )
    pixel_colors: int | None = declare(
        Whole(2, 256),
        "Colors of the palette that all pictures of large pixels share.",
        before=None,
        form="advanced",
        applies="pixel_art",
    )
    seed: int = declare(Whole(0, SEEDS - 1), "The same seed and inputs repeat a picture.", form="advanced")
    checkpoint: str = declare(
        Name(512, "checkpoints"), "An installed model, by its file name. The same as `model`."
    )
    consistency: float = declare(
        Real(0, 1),
        "All poses: how strongly the views look at the front. 0 is off.",
        default=CONSISTENCY,
        before=0.0,
        form="advanced",
        applies="several_views",
    )


SETTINGS = declared_fields(AvatarSettings)
