"""What `compile` needs of a graph of a generation, whatever makes the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..families.builder import Link
from ..ports import Prompt
from ..spec.receipt import AppliedInput
from ..spec.warning import GenerationWarning


class ViewGraph(Protocol):
    """Builds one prompt step by step. `inputs` is its receipt, `warnings` is what the user should know.

    `generation_graph.GenerationGraph` samples the views with a model, `drawn_graph.DrawnGraph` draws them.
    """

    inputs: list[AppliedInput]
    warnings: list[GenerationWarning]

    @property
    def prompt(self) -> Prompt: ...

    def is_skipped(self, role: str) -> bool:
        """Whether no view of this prompt uses the role's picture, such as a front pose in a re-roll of the
        side."""

    def apply_references(self, views: Sequence[str | None]) -> None:
        """Apply the given references to what is sampled from now on, which are these views."""

    def begin_sheet(self, seed: int) -> None:
        """Begin a sheet, or a picture alone: what follows looks at nothing of the one before, and shares with
        it only what does not depend on the seed. `seed` is that of the sheet."""

    def share_views(self) -> None:
        """Make the rows of a batch look like its first row."""

    def show_anchor(self, samples: Link, image: Link) -> None:
        """Make the following views look like this one: what `sample` and `save` returned of it."""

    def show_saved_anchor(self, generation_id: str, position: int) -> None:
        """Make the view look like a saved one."""

    def use_saved_palette(self, generation_id: str, position: int) -> None:
        """Reduce the views to the palette of a saved one, if they are reduced to large pixels."""

    def sample(self, views: Sequence[str | None], size: tuple[int, int], seeds: Sequence[int]) -> Link:
        """Make these views in one batch, of `size` (width, height) in pixels; returns a link to it. They have
        one seed, or a single view is made once for each of several seeds."""

    def take_view(self, samples: Link, row: int, width: int) -> Link:
        """One row of a batch, centre-cropped to `width` pixels."""

    def save(self, samples: Link, view: str | None, generation_id: str, position: int) -> Link:
        """Save a view, reduced if the spec asks for that; returns a link to its whole picture."""

    def keep_loaded(self, controlnet: str | None) -> None:
        """Keep a ControlNet loaded that this prompt does not use."""
