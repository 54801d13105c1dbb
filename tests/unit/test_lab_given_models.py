from __future__ import annotations

from typing import Any

from lab.given_models import choose_folders


def entry(folder: str, name: str, **fields: Any) -> dict[str, Any]:
    return {"folder": folder, "name": name, "problem": None, **fields}


def test_a_file_goes_where_the_pack_knows_it() -> None:
    answer = {
        "models": [
            entry("checkpoints", "a.safetensors", family=None, problem="holds no text encoder"),
            entry("diffusion_models", "a.safetensors", family="flux2"),
            entry("loras", "a.safetensors", family=None),
            entry("controlnet", "pose.safetensors", family="sdxl"),
        ],
        "parts": [
            entry("text_encoders", "b.safetensors", kind="qwen3_4b"),
            entry("vae", "b.safetensors", kind=None),
        ],
    }
    names = ["a.safetensors", "b.safetensors", "pose.safetensors", "else.safetensors"]
    assert choose_folders(answer, names) == {
        "a.safetensors": "diffusion_models",
        "b.safetensors": "text_encoders",
        "pose.safetensors": "controlnet",
    }
