"""Graphs of users in API format, built by hand."""

from __future__ import annotations

from typing import Any

Graph = dict[str, dict[str, Any]]


def node(class_type: str, title: str | None = None, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs, "_meta": {"title": title or class_type}}


def plain(checkpoint: str = "anime-sd15.safetensors", size: int = 64, steps: int = 1) -> Graph:
    """ComfyUI's default graph, whose slots only links tell."""
    return {
        "4": node("CheckpointLoaderSimple", "Load Checkpoint", ckpt_name=checkpoint),
        "5": node("EmptyLatentImage", width=size, height=size, batch_size=1),
        "6": node("CLIPTextEncode", text="a castle", clip=["4", 1]),
        "7": node("CLIPTextEncode", text="blurry", clip=["4", 1]),
        "3": node(
            "KSampler",
            seed=5,
            steps=steps,
            cfg=2.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
            model=["4", 0],
            positive=["6", 0],
            negative=["7", 0],
            latent_image=["5", 0],
        ),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", "Save Image", filename_prefix="mine", images=["8", 0]),
    }


def titled(checkpoint: str = "anime-sd15.safetensors") -> Graph:
    """Core nodes that say by their titles alone what they are for. Texts and the seed stand in primitives; a
    picture is encoded and refined."""
    return {
        "1": node("CheckpointLoaderSimple", ckpt_name=checkpoint),
        "2": node("PrimitiveStringMultiline", "Prompt", value="a castle"),
        "3": node("PrimitiveStringMultiline", "NEGATIVE", value="blurry"),
        "4": node("PrimitiveInt", "AvatarForge: seed", value=5),
        "5": node("LoadImage", "reference", image="example.png"),
        "6": node("CLIPTextEncode", text=["2", 0], clip=["1", 1]),
        "7": node("CLIPTextEncode", text=["3", 0], clip=["1", 1]),
        "8": node(
            "ImageScale", image=["5", 0], upscale_method="bilinear", width=64, height=64, crop="center"
        ),
        "9": node("VAEEncode", pixels=["8", 0], vae=["1", 2]),
        "10": node(
            "KSampler",
            seed=["4", 0],
            steps=2,
            cfg=2.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=0.7,
            model=["1", 0],
            positive=["6", 0],
            negative=["7", 0],
            latent_image=["9", 0],
        ),
        "11": node("VAEDecode", samples=["10", 0], vae=["1", 2]),
        "12": node("PreviewImage", "AvatarForge: output", images=["11", 0]),
    }


def two_samplers(checkpoint: str = "anime-sd15.safetensors") -> Graph:
    """A base and a refining sampler, and a preview of the base."""
    graph = plain(checkpoint)
    graph["3"]["class_type"] = "KSamplerAdvanced"
    first = graph["3"]["inputs"]
    del first["denoise"], first["seed"]
    first.update(
        add_noise="enable",
        noise_seed=5,
        steps=4,
        start_at_step=0,
        end_at_step=2,
        return_with_leftover_noise="enable",
    )
    second = {
        **first,
        "add_noise": "disable",
        "noise_seed": 6,
        "start_at_step": 2,
        "end_at_step": 10000,
        "return_with_leftover_noise": "disable",
        "latent_image": ["3", 0],
    }
    graph["10"] = node("KSamplerAdvanced", "Refine", **second)
    graph["8"]["inputs"]["samples"] = ["10", 0]
    graph["11"] = node("VAEDecode", samples=["3", 0], vae=["4", 2])
    graph["12"] = node("PreviewImage", images=["11", 0])
    return graph


def custom_sampler() -> Graph:
    """As FLUX.2 samples: guider, noise and sigmas are nodes of their own."""
    return {
        "1": node("UNETLoader", unet_name="flux.safetensors", weight_dtype="default"),
        "2": node("CLIPLoader", clip_name="qwen.safetensors", type="flux2"),
        "3": node("VAELoader", vae_name="vae.safetensors"),
        "4": node("CLIPTextEncode", text="a castle", clip=["2", 0]),
        "5": node("ConditioningZeroOut", conditioning=["4", 0]),
        "6": node("LoadImage", "pose", image="a.png"),
        "7": node("VAEEncode", pixels=["6", 0], vae=["3", 0]),
        "8": node("ReferenceLatent", conditioning=["4", 0], latent=["7", 0]),
        "9": node("ReferenceLatent", conditioning=["5", 0], latent=["7", 0]),
        "10": node("CFGGuider", model=["1", 0], positive=["8", 0], negative=["9", 0], cfg=5.0),
        "11": node("RandomNoise", noise_seed=7),
        "12": node("KSamplerSelect", sampler_name="euler"),
        "13": node("PrimitiveInt", "W", value=512),
        "14": node("Flux2Scheduler", steps=20, width=["13", 0], height=768),
        "15": node("EmptyFlux2LatentImage", width=["13", 0], height=768, batch_size=1),
        "16": node(
            "SamplerCustomAdvanced",
            noise=["11", 0],
            guider=["10", 0],
            sampler=["12", 0],
            sigmas=["14", 0],
            latent_image=["15", 0],
        ),
        "17": node("VAEDecode", samples=["16", 0], vae=["3", 0]),
        "18": node("SaveImage", filename_prefix="mine", images=["17", 0]),
    }


def edit_in_app_mode() -> tuple[Graph, dict[str, Any]]:
    """An edit model whose texts lie in a subgraph, with the marks of App mode in the workflow."""
    graph = {
        "41": node("LoadImage", image="a.png"),
        "42": node("LoadImage", image="b.png"),
        "170:1": node("UNETLoader", unet_name="qwen.safetensors", weight_dtype="default"),
        "170:2": node("CLIPLoader", clip_name="qwen.safetensors", type="qwen_image"),
        "170:3": node("VAELoader", vae_name="vae.safetensors"),
        "170:4": node(
            "TextEncodeQwenImageEditPlus",
            prompt="edit",
            clip=["170:2", 0],
            image1=["41", 0],
            image2=["42", 0],
        ),
        "170:5": node("TextEncodeQwenImageEditPlus", prompt="", clip=["170:2", 0], image1=["41", 0]),
        "170:6": node("EmptySD3LatentImage", width=512, height=512, batch_size=1),
        "170:7": node(
            "KSampler",
            seed=1,
            steps=4,
            cfg=1.0,
            sampler_name="euler",
            scheduler="simple",
            denoise=1.0,
            model=["170:1", 0],
            positive=["170:4", 0],
            negative=["170:5", 0],
            latent_image=["170:6", 0],
        ),
        "170:8": node("VAEDecode", samples=["170:7", 0], vae=["170:3", 0]),
        "182": node("SaveImage", filename_prefix="mine", images=["170:8", 0]),
        "183": node("PreviewImage", images=["41", 0]),
    }
    linear = {"inputs": [["41", "image"], ["42", "image"], ["4", "prompt"]], "outputs": ["182"]}
    return graph, {"nodes": [], "links": [], "extra": {"linearData": linear, "linearMode": True}}
