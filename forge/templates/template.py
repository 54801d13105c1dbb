"""A template as data: one version of a graph, with its slots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..graphs.links import literal
from ..ports import Prompt
from ..spec.avatar import AvatarSpec
from ..spec.fields import Real, Whole
from ..spec.reference import ReferenceUse
from ..spec.settings import SETTINGS
from ..spec.template import TemplateUse
from .slots import Place, Slots

KIND = "template"  # of the lines of the receipt, and in place of a family
NOBODY = "00000000-0000-0000-0000-000000000000"  # the reference of a trial, which nothing loads


@dataclass(frozen=True)
class Template:
    """A version of a template."""

    id: str
    name: str
    version: int
    prompt: Prompt
    slots: Slots

    def use(self) -> TemplateUse:
        return TemplateUse(self.name, self.id, self.version, tuple(self.slots))

    def own_value(self, place: Place) -> Any:
        """What the graph itself has in a place; None if it is computed."""
        return literal(self.prompt, place.node, place.input)

    def common_value(self, slot: str) -> int | float | None:
        """The number that the graph has in every place of a slot, if it is one that a request may have."""
        values = {self.own_value(place) for place in self.slots.get(slot, ())}
        value = next(iter(values), None) if len(values) == 1 else None
        rule = SETTINGS[slot].rule
        if isinstance(value, bool) or not isinstance(rule, (Whole, Real)):
            return None
        if not isinstance(value, int if isinstance(rule, Whole) else (int, float)):
            return None
        in_range = rule.minimum <= value <= rule.maximum
        return value if in_range and (isinstance(rule, Real) or value % rule.multiple_of == 0) else None


def trial_spec(template: Template) -> AvatarSpec:
    """A spec that fills every slot of a template with something."""
    values: dict[str, Any] = {
        name: template.common_value(name) for name in ("width", "height", "steps", "cfg")
    }
    values |= dict.fromkeys(("sampler", "scheduler", "checkpoint", "clothing", "style", "negative_prompt"))
    return AvatarSpec(
        prompt="a knight",
        realism=False,
        seed=1,  # nodes of some services take no 0
        views=("front",),
        pose=None,
        reference=ReferenceUse(NOBODY, "", 1.0, "picture"),
        family=KIND,
        controlnet=None,
        skeleton_strength=1.0,
        template=template.use(),
        **values,
    )
