"""The tables of docs/models.md, from the declarations of the families and the catalogue of files."""

from __future__ import annotations

from typing import get_args

from avatarforge.forge.families import FAMILIES
from avatarforge.forge.families.catalogue import Download, Part, download_for
from avatarforge.forge.families.family import Family, ReferenceLimits
from avatarforge.forge.spec.settings import CONSISTENCY

_POSE = {
    "controlnet": "a ControlNet in `models/controlnet`",
    "patch": "a control patch in `models/model_patches`",
    "picture": "the skeleton as a reference picture, without another model",
    "keypoints": "its keypoints, exactly",
}
_REFERENCE = {
    "picture": "`picture`: a numbered reference picture",
    "redux": "`redux`: Flux Redux",
    "ipadapter": "`ipadapter`: ComfyUI_IPAdapter_plus",
    "attention": "`attention`: shared attention, without another model",
    "palette": "`palette`: its colours",
}
_USES = {
    "model": "the model",
    "pose": "poses",
    "style": "references by `redux`",
    "clip_vision": "references by `redux`",
    "lightning": "4 to 8 steps",
    "turbo": "8 steps",
    "views": "the four views",
}


def render_tables(name: str) -> str:
    """What a family can do, its files and its defaults, in Markdown."""
    family = FAMILIES[name]
    files = ["Files: none."] if family.drawn else _files(family)
    return "\n".join([*_abilities(family), "", *files, "", *_defaults(family)])


def _abilities(family: Family) -> list[str]:
    pose = ", ".join(_POSE[method] for method in family.pose) or "none"
    ways = [f"{_REFERENCE[method]}, {_limits(limits)}" for method, limits in family.references.items()]
    reference = "; ".join(ways) or "none"
    views = "one batch, or one after another" if family.batch else "one after another"
    seen = {
        "attention": "they see the front by shared attention",
        "picture": "they see the front as a reference picture",
        "seed": "their common seed makes them one character",
        None: "they do not see the front",
    }
    return [
        f"- Pose: {pose}.",
        f"- Reference: {reference}.",
        f"- Four views: {views}; {seen[family.anchor]}.",
        f"- Prompts: {_prompts(family)}.",
    ]


def _limits(limits: ReferenceLimits) -> str:
    each = f" ({limits.each} of each)" if limits.each else ""
    return f"up to {limits.most}{each}: {', '.join(limits.roles)}"


def _prompts(family: Family) -> str:
    if family.drawn:
        return "the words of its vocabulary"
    return "sentences" if family.words.sentences else "tags"


def _files(family: Family) -> list[str]:
    rows = ["| File | Folder | Size | For | From |", "|---|---|---|---|---|"]
    seen: set[Download] = set()
    for variant in family.variants:
        parts = family.variant(variant.name).parts
        kinds = [*parts.encoders, parts.vae] if parts else []
        for part in (*get_args(Part), "turbo", *kinds):
            file = download_for(family.name, part, variant.name)
            if file is None or file in seen:
                continue
            seen.add(file)
            use = _USES.get(part, "the VAE" if parts and part == parts.vae else "the text encoder")
            of = f" ({variant.label})" if part == "model" and len(family.variants) > 1 else ""
            size = f"{file.size:g} GB" if file.size else "not stated"
            page = file.page.removeprefix("https://")
            rows.append(f"| `{file.name}` | `{file.folder}` | {size} | {use}{of} | [{page}]({file.page}) |")
    return rows


def _defaults(family: Family) -> list[str]:
    rows = ["| Variant | Size | Steps | cfg | Sampler, scheduler | Other |", "|---|---|---|---|---|---|"]
    for variant in family.variants:
        changed = family.variant(variant.name)
        rows.append(_row(variant.label, changed, None))
    rows += [_row(f"{name} (distilled)", family, name) for name in family.distilled]
    return rows


def _row(label: str, family: Family, distillation: str | None) -> str:
    sampling = family.sampling_of(distillation)
    other = {
        "guidance": sampling.guidance,
        "shift": sampling.shift,
        "clip_skip": sampling.clip_skip,
        "pose_strength": family.pose_strength if family.pose_strength != 1 else None,
        "consistency": family.consistency if family.consistency != CONSISTENCY else None,
    }
    named = ", ".join(f"{name} {value:g}" for name, value in other.items() if value is not None)
    size = f"{sampling.width}x{sampling.height}"
    cfg = "none" if sampling.cfg is None else f"{sampling.cfg:g}"
    how = ", ".join(filter(None, [sampling.sampler, sampling.scheduler])) or "none"
    return f"| {label} | {size} | {sampling.steps} | {cfg} | {how} | {named or 'none'} |"
