"""Which embeddings of a text are used, by ComfyUI's own tokenizer in this process."""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from avatarforge.forge.graphs.prompt_syntax import prompt_warnings
from lab.api import Api
from lab.host import ComfyUI

FILES = ("ink.pt", "style/brush_v1.0.pt", "bad hands.pt")


@pytest.fixture(scope="module")
def tokenizer(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """That of SD1.5, with a folder of embeddings."""
    sys.path.append(str(comfyui.root))
    from comfy.cli_args import args

    args.cpu = True
    from comfy.sd1_clip import SDTokenizer

    folder: Path = tmp_path_factory.mktemp("embeddings")
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        torch.save({"string_to_param": {"*": torch.zeros(1, 768)}}, folder / name)
    return SDTokenizer(embedding_directory=[str(folder)])


@pytest.mark.parametrize(
    "text",
    [
        "a cat, embedding:ink, b",
        "embedding:ink",
        "embedding:ink.pt",
        "embedding: ink",
        "(embedding:ink:1.2), b",
        "((a), embedding:ink)",
        "embedding:brush_v1.0 embedding:style/brush_v1.0.pt",
        "a embedding:nope b",
        "(embedding:nope:1.2)",
        "embedding:ink.",
        "embedding:INK",
        "embedding:ink.safetensors",
        "embedding:style/ink",
        "embedding:nope/brush_v1.0",
        "embedding:../embeddings/ink",
        "embedding:ink,embedding:ink",
        "embedding:bad hands",
        "embedding:ink, embedding:nope, embedding:ink",
    ],
)
def test_what_is_warned_of_is_what_comfyui_leaves_out(
    tokenizer: Any, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    caplog.set_level(logging.WARNING)
    tokenizer.tokenize_with_weights(text)
    left_out = re.findall(r"embedding:(\S*) does not exist", caplog.text)
    warned = [warning.parameters["text"] for warning in prompt_warnings([text], FILES)]
    assert warned == [f"embedding:{name.strip(',')}" for name in left_out]


@pytest.mark.usefixtures("tokenizer")  # ComfyUI is to be imported as it imports it
def test_installed_embeddings_are_listed_whatever_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import folder_paths

    from avatarforge.host.models import ModelScanner

    folder = tmp_path / "embeddings"
    for name in ("ink.pt", "sub/brush.safetensors", "readme.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    odd = []
    if sys.platform == "linux":  # file names are bytes there
        odd = [os.fsdecode(b"odd\xff.pt")]
        (folder / odd[0]).touch()
    for kind in ("checkpoints", "controlnet"):
        monkeypatch.setitem(folder_paths.folder_names_and_paths, kind, ([], set()))
    extensions = folder_paths.supported_pt_extensions
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "embeddings", ([str(folder)], extensions))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    scanner = ModelScanner()
    assert scanner.scan().embeddings == ("ink.pt", *odd, str(Path("sub", "brush.safetensors")))
    found = prompt_warnings(["embedding:ink embedding:brush embedding:nope"], scanner.scan().embeddings)
    assert [warning.parameters["text"] for warning in found] == ["embedding:nope"]
    shutil.rmtree(folder)
    assert scanner.scan().embeddings == ()

    def asleep(_folder: str) -> list[str]:
        raise OSError("the drive is asleep")

    monkeypatch.setattr(folder_paths, "get_filename_list", asleep)
    assert scanner.scan().embeddings is None


def test_a_generation_names_what_its_words_do_not_do(api: Api) -> None:
    done = api.wait(api.generate(prompt="a knight <lora:ink:0.8>", style="embedding:nope")["generation_id"])
    assert done["status"] == "completed"
    assert [warning.split("'")[1] for warning in done["warnings"]] == ["<lora:ink:0.8>", "embedding:nope"]
    assert [item["code"] for item in done["warning_details"]] == ["network_in_prompt", "unknown_embedding"]
