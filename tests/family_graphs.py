"""A plain graph of ComfyUI's own nodes for each model family, in API format, for tests on the real host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.family_models import FAMILIES, FamilyModels, file_name

SIZE = 64
Link = list[Any]


@dataclass(frozen=True)
class Wanted:
    """What to draw. ``control`` is a kind of :mod:`lab.synthetic`; pictures are names in the input folder."""

    text: str = "a knight"
    seed: int = 5
    lora: float | None = None
    clip_lora: float = 0.0
    control: str = ""
    pose: str = "pose.png"
    pose_strength: float = 1.0
    pose_kind: str = ""
    references: Sequence[str] = ()
    method: str = ""
    model: str = ""
    steps: int = 1


class Graph(dict[str, dict[str, Any]]):
    """Nodes by number. ``SAMPLER`` is the number that each family's sampler has."""

    SAMPLER = "sampler"

    def add(self, class_type: str, output: int = 0, node_id: str = "", /, **inputs: Any) -> Link:
        """Add a node and return a link to one of its outputs."""
        node_id = node_id or str(len(self) + 1)
        self[node_id] = {"class_type": class_type, "inputs": inputs}
        return [node_id, output]

    def picture(self, name: str) -> Link:
        return self.add("LoadImage", image=name)

    def finish(self, latent: Link, vae: Link) -> None:
        self.add("PreviewImage", images=self.add("VAEDecode", samples=latent, vae=vae))


def second(link: Link) -> Link:
    return [link[0], 1]


@dataclass
class Loaded:
    graph: Graph
    wanted: Wanted
    model: Link
    clip: Link
    vae: Link

    def encode(self, text: str) -> Link:
        return self.graph.add("CLIPTextEncode", clip=self.clip, text=text)

    def zero(self, conditioning: Link) -> Link:
        return self.graph.add("ConditioningZeroOut", conditioning=conditioning)

    def refer(self, conditioning: Link) -> Link:
        """The conditioning with each reference picture's latent, and the method of placing them."""
        for name in self.wanted.references:
            latent = self.graph.add("VAEEncode", pixels=self.graph.picture(name), vae=self.vae)
            conditioning = self.graph.add("ReferenceLatent", conditioning=conditioning, latent=latent)
        if self.wanted.references and self.wanted.method:
            conditioning = self.graph.add(
                "FluxKontextMultiReferenceLatentMethod",
                conditioning=conditioning,
                reference_latents_method=self.wanted.method,
            )
        return conditioning

    def controlled(self, positive: Link, negative: Link) -> tuple[Link, Link]:
        if not self.wanted.control:
            return positive, negative
        control = self.graph.add("ControlNetLoader", control_net_name=file_name(self.wanted.control))
        if self.wanted.pose_kind:
            kind = self.wanted.pose_kind
            control = self.graph.add("SetUnionControlNetType", control_net=control, type=kind)
        applied = self.graph.add(
            "ControlNetApplyAdvanced",
            positive=positive,
            negative=negative,
            control_net=control,
            image=self.graph.picture(self.wanted.pose),
            vae=self.vae,
            strength=self.wanted.pose_strength,
            start_percent=0.0,
            end_percent=1.0,
        )
        return applied, second(applied)

    def patch(self) -> Link:
        return self.graph.add("ModelPatchLoader", name=file_name(self.wanted.control))

    def sample(
        self, positive: Link, negative: Link, *, cfg: float, latent: str = "EmptySD3LatentImage"
    ) -> Graph:
        empty = self.graph.add(latent, width=SIZE, height=SIZE, batch_size=1)
        sampled = self.graph.add(
            "KSampler",
            0,
            Graph.SAMPLER,
            model=self.model,
            positive=positive,
            negative=negative,
            latent_image=empty,
            seed=self.wanted.seed,
            steps=self.wanted.steps,
            cfg=cfg,
            sampler_name="euler",
            scheduler="simple",
            denoise=1.0,
        )
        self.graph.finish(sampled, self.vae)
        return self.graph


def load(family: FamilyModels, wanted: Wanted) -> Loaded:
    """The family's loaders, and its LoRA."""
    graph = Graph()
    name = file_name(wanted.model or family.models[0])
    if not family.encoders:
        model = graph.add("CheckpointLoaderSimple", ckpt_name=name)
        clip, vae = second(model), [model[0], 2]
    else:
        model = graph.add("UNETLoader", unet_name=name, weight_dtype="default")
        names = [file_name(kind) for kind in family.encoders_for(wanted.model)]
        if len(names) == 1:
            clip = graph.add("CLIPLoader", clip_name=names[0], type=family.encoder_type)
        else:
            clip = graph.add(
                "DualCLIPLoader", clip_name1=names[0], clip_name2=names[1], type=family.encoder_type
            )
        vae = graph.add("VAELoader", vae_name=file_name(family.vae))
    if wanted.lora is not None:
        lora = {"lora_name": file_name(family.lora), "strength_model": wanted.lora}
        if family.lora_has_clip:
            model = graph.add("LoraLoader", model=model, clip=clip, strength_clip=wanted.clip_lora, **lora)
            clip = second(model)
        else:
            model = graph.add("LoraLoaderModelOnly", model=model, **lora)
    return Loaded(graph, wanted, model, clip, vae)


def stable_diffusion(loaded: Loaded) -> Graph:
    positive, negative = loaded.controlled(loaded.encode(loaded.wanted.text), loaded.encode("blurry"))
    return loaded.sample(positive, negative, cfg=5.0, latent="EmptyLatentImage")


def flux(loaded: Loaded) -> Graph:
    encoded = loaded.refer(loaded.encode(loaded.wanted.text))
    guided = loaded.graph.add("FluxGuidance", conditioning=encoded, guidance=3.5)
    positive, negative = loaded.controlled(guided, loaded.zero(encoded))
    return loaded.sample(positive, negative, cfg=1.0)


def flux2(loaded: Loaded) -> Graph:
    """The custom sampler, with references on both sides."""
    graph, wanted = loaded.graph, loaded.wanted
    encoded = loaded.encode(wanted.text)
    positive, negative = loaded.refer(encoded), loaded.refer(loaded.zero(encoded))
    sampled = graph.add(
        "SamplerCustomAdvanced",
        0,
        Graph.SAMPLER,
        noise=graph.add("RandomNoise", noise_seed=wanted.seed),
        guider=graph.add("CFGGuider", model=loaded.model, positive=positive, negative=negative, cfg=1.0),
        sampler=graph.add("KSamplerSelect", sampler_name="euler"),
        sigmas=graph.add("Flux2Scheduler", steps=wanted.steps, width=SIZE, height=SIZE),
        latent_image=graph.add("EmptyFlux2LatentImage", width=SIZE, height=SIZE, batch_size=1),
    )
    graph.finish(sampled, loaded.vae)
    return graph


def shifted(loaded: Loaded, shift: float) -> None:
    loaded.model = loaded.graph.add("ModelSamplingAuraFlow", model=loaded.model, shift=shift)


def qwen_image(loaded: Loaded) -> Graph:
    shifted(loaded, 3.1)
    positive, negative = loaded.controlled(loaded.encode(loaded.wanted.text), loaded.encode(""))
    return loaded.sample(positive, negative, cfg=2.5)


def qwen_edit(loaded: Loaded) -> Graph:
    """References are seen by the text encoder, and joined as latents by ReferenceLatent, not by that node."""
    graph, wanted = loaded.graph, loaded.wanted
    shifted(loaded, 3.1)
    loaded.model = graph.add("CFGNorm", model=loaded.model, strength=1.0)
    pictures = {f"image{n}": graph.picture(name) for n, name in enumerate(wanted.references, 1)}

    def encode(text: str) -> Link:
        return loaded.refer(
            graph.add("TextEncodeQwenImageEditPlus", clip=loaded.clip, prompt=text, **pictures)
        )

    return loaded.sample(encode(wanted.text), encode(""), cfg=2.5)


def z_image(loaded: Loaded) -> Graph:
    shifted(loaded, 3.0)
    if loaded.wanted.control:
        loaded.model = loaded.graph.add(
            "ZImageFunControlnet",
            model=loaded.model,
            model_patch=loaded.patch(),
            vae=loaded.vae,
            strength=loaded.wanted.pose_strength,
            image=loaded.graph.picture(loaded.wanted.pose),
        )
    encoded = loaded.encode(loaded.wanted.text)
    return loaded.sample(encoded, loaded.zero(encoded), cfg=1.0)


def anima(loaded: Loaded) -> Graph:
    if loaded.wanted.control:
        loaded.model = loaded.graph.add(
            "AnimaLLLiteApply",
            model=loaded.model,
            model_patch=loaded.patch(),
            image=loaded.graph.picture(loaded.wanted.pose),
            strength=loaded.wanted.pose_strength,
            start_percent=0.0,
            end_percent=1.0,
        )
    return loaded.sample(loaded.encode(loaded.wanted.text), loaded.encode("worst quality"), cfg=4.0)


def krea2(loaded: Loaded) -> Graph:
    encoded = loaded.refer(loaded.encode(loaded.wanted.text))
    return loaded.sample(encoded, loaded.zero(encoded), cfg=1.0)


GRAPHS: dict[str, Callable[[Loaded], Graph]] = {
    "sd15": stable_diffusion,
    "sdxl": stable_diffusion,
    "flux": flux,
    "flux2": flux2,
    "qwen_image": qwen_image,
    "qwen_edit": qwen_edit,
    "z_image": z_image,
    "anima": anima,
    "krea2": krea2,
}


def graph(family: str, wanted: Wanted) -> Graph:
    return GRAPHS[family](load(FAMILIES[family], wanted))
