"""``dev.py demo``: starts a ComfyUI with the pack and generates a character in four views."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .cache import cache_root, key
from .client import PREFIX, Client
from .given_models import place_models
from .host import ComfyUI
from .obtain import obtain_comfyui
from .progress import Command, LabError, Status, bar
from .server import ComfyServer, port_is_free

FIRST_PORT, PORTS = 8188, 20
POSE_PICTURE = Path("docs/images/pose.png")
POLL_INTERVAL = 0.2
#: The character of the demo. Its seed, for what the words leave open, is also that of the documentation.
KNIGHT_WORDS, KNIGHT_SEED = "female knight, silver armor, red cape", 42
#: The family that draws its pictures and needs no model.
DRAWN_FAMILY = "doll"
DRAWN_BY = "Drawn by the Paper doll, no model."
OWN_MODEL = (
    "To use a model, pass its files (docs/models.md):\n"
    "    python3 dev.py demo --model MODEL.safetensors POSE_CONTROLNET.safetensors"
)


@dataclass(frozen=True)
class DemoOptions:
    """Command line options; None means the default of the demo or the pack."""

    prompt: str
    out: Path
    once: bool = False
    model: Sequence[Path] = ()
    port: int | None = None
    steps: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class Artist:
    """Who makes the demo's pictures.

    Attributes:
        drawn: whether the paper doll draws them, without any model.
        pose: whether the pose picture is used.
        model: the model to request; None leaves the choice to the pack.
    """

    drawn: bool
    pose: bool
    model: str | None = None


def run_demo(root: Path, options: DemoOptions) -> int:
    """Run the demo of the clone at ``root`` and return the exit code. Raises LabError."""
    for file in options.model:
        if not file.is_file():
            raise LabError(f"There is no file {file}.")
    comfyui = obtain_comfyui()
    server = _server(comfyui, root, options)
    # Shut ComfyUI down cleanly on `kill` too, as on Ctrl-C.
    signal.signal(signal.SIGTERM, _exit_on_signal)
    status = Status(f"Starting ComfyUI {comfyui.version()}")
    try:
        server.start(tick=status.show)
        status.done()
        artist = _choose_artist(server, comfyui, options)
        _generate(server, root, comfyui, options, artist)
        print(f"ComfyUI: {server.url}\nAPI documentation: {server.url}{PREFIX}/docs", flush=True)
        return 0 if options.once else _serve(server)
    finally:
        server.stop()


def _server(comfyui: ComfyUI, root: Path, options: DemoOptions) -> ComfyServer:
    if options.port is not None and not port_is_free(options.port):
        raise LabError(f"Port {options.port} is in use. Free it, or choose another with --port.")
    port = options.port or next(filter(port_is_free, range(FIRST_PORT, FIRST_PORT + PORTS)), None)
    if port is None:
        raise LabError(f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are in use. Choose one with --port.")
    # Named after the port, so that two demos can run at the same time.
    base = cache_root() / "demo" / f"{key(root)}-{port}"
    # Contains only links. Those from an earlier run with other models must not be used now.
    shutil.rmtree(base / "models", ignore_errors=True)
    server = ComfyServer(comfyui, base, pack=root, port=port)
    if not comfyui.is_ours:
        server.args = ("--extra-model-paths-config", str(_share_models(comfyui, base)))
    return server


def _share_models(comfyui: ComfyUI, base: Path) -> Path:
    """Write a config file that adds the models of the user's installation to those in ``base``."""
    models = comfyui.root / "models"
    folders = (
        {folder.name: folder.name for folder in models.iterdir() if folder.is_dir()}
        if models.is_dir()
        else {}
    )
    file = base / "extra_model_paths.yaml"
    # JSON is valid YAML.
    file.write_text(json.dumps({"installed": {"base_path": str(models), **folders}}), encoding="utf-8")
    return file


def _choose_artist(server: ComfyServer, comfyui: ComfyUI, options: DemoOptions) -> Artist:
    """The paper doll, or the model whose files the command line names. Raises LabError."""
    client = Client(server.url)
    if not options.model:
        print("The paper doll draws the character: no model is used.", flush=True)
        return Artist(drawn=True, pose=False)
    model = place_models(server, client, options.model)
    artist = artist_for(client.get(f"{PREFIX}/capabilities"), model)
    if not artist.pose:
        print(
            "Nothing installed applies a pose: the pose picture is not used. Add a ControlNet with --model."
        )
    return artist


def _hint(comfyui: ComfyUI, installed: Sequence[Mapping[str, Any]]) -> str:
    """How to use a model, with the file of an installed one if there is any."""
    if not installed:
        return OWN_MODEL
    file = comfyui.root / "models" / installed[0]["folder"] / installed[0]["name"]
    more = f" and {len(installed) - 1} more" if len(installed) > 1 else ""
    return (
        f"Your ComfyUI has the model {installed[0]['name']}{more}. To use one, pass its file:\n"
        f"    python3 dev.py demo --model {file}"
    )


def usable_models(capabilities: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The installed models that can be used now; what is drawn needs none and is left out."""
    return [model for model in capabilities["models"] if _is_usable(model) and not model["drawn"]]


def artist_for(capabilities: Mapping[str, Any], model: str | None) -> Artist:
    """A named model, or with None any that is installed, as the pack chooses it. Raises LabError."""
    models = [each for each in capabilities["models"] if not each["drawn"]]
    chosen = [each for each in models if model is None or each["name"] == model]
    if not any(map(_is_usable, chosen)):
        if model is None:
            raise LabError("None of these files is a model, and none is installed: name its file too.")
        missing = ", ".join(f"{file['name'] or file['kind']}" for each in chosen for file in each["missing"])
        raise LabError(f"The model {model} also needs {missing}: name these files too (docs/models.md).")
    pose = any(method["works"] for each in chosen for method in each["pose"])
    return Artist(drawn=False, pose=pose, model=model)


def _is_usable(model: Mapping[str, Any]) -> bool:
    return bool(model["supported"]) and not model["problem"] and not model["missing"]


def request_body(options: DemoOptions, artist: Artist, pose_file_id: str | None) -> dict[str, Any]:
    """The request for the four views. What the options leave open is the pack's choice."""
    fields = {
        "prompt": options.prompt,
        "family": DRAWN_FAMILY if artist.drawn else None,
        "seed": KNIGHT_SEED if artist.drawn else None,
        "model": artist.model,
        "pose_file_id": pose_file_id,
        "width": options.size,
        "height": options.size,
        "steps": options.steps,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _generate(
    server: ComfyServer, root: Path, comfyui: ComfyUI, options: DemoOptions, artist: Artist
) -> None:
    client = Client(server.url)
    pose = None
    if artist.pose:
        pose = client.upload(f"{PREFIX}/upload/pose_image", root / POSE_PICTURE)["file_id"]
        print(f"Uploaded {POSE_PICTURE.as_posix()} as {pose}")
    generation = client.post(f"{PREFIX}/generate_all_poses", request_body(options, artist, pose))
    generation = _wait_for(server, client, generation["generation_id"], artist)
    for warning in generation["warnings"]:
        print(f"Note: {warning}")
    _save(client, root, comfyui, options, artist, generation["output_files"])


def _wait_for(server: ComfyServer, client: Client, generation_id: str, artist: Artist) -> dict[str, Any]:
    """Show a progress bar until the generation ends. Raises LabError if it fails."""
    status = Status("Drawing four views" if artist.drawn else "Generating four views")
    while True:
        generation: dict[str, Any] = client.get(f"{PREFIX}/generations/{generation_id}")
        if generation["status"] == "completed":
            status.done(bar(1.0))
            return generation
        if generation["status"] == "failed":
            status.done("failed")
            raise LabError(
                f"The generation failed: {generation.get('error')}\nComfyUI's log: {server.log_path}"
            )
        status.show(f"{bar(generation['progress'])}  {generation['status']}")
        time.sleep(POLL_INTERVAL)


def _save(
    client: Client,
    root: Path,
    comfyui: ComfyUI,
    options: DemoOptions,
    artist: Artist,
    outputs: list[dict[str, Any]],
) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    saved: list[tuple[str, Path]] = []
    for output in outputs:
        target = options.out / f"{output['pose_type']}{Path(output['filename']).suffix}"
        client.download(output["url"], target)
        saved.append((output["pose_type"], target))
    sheet = options.out / "sheet.png"
    caption = f"{options.prompt}. {DRAWN_BY}" if artist.drawn else options.prompt
    labelled = [f"{view}={path.resolve()}" for view, path in saved]
    command: Command = [comfyui.python, "-m", "lab.make_sheet", root, sheet.resolve(), caption, *labelled]
    result = subprocess.run(command, cwd=root / "tests", capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"The contact sheet could not be drawn:\n{result.stderr}")
    for view, path in (*saved, ("sheet", sheet)):
        print(f"  {view:8} {path.resolve()}")
    if artist.drawn:
        installed = usable_models(client.get(f"{PREFIX}/capabilities"))
        print(f"{DRAWN_BY} {_hint(comfyui, installed)}")


def _serve(server: ComfyServer) -> int:
    print("ComfyUI keeps running. Press Ctrl-C to stop it.", flush=True)
    try:
        while server.running:
            time.sleep(0.5)
    except KeyboardInterrupt:
        print("\nStopping ComfyUI …", flush=True)
        return 0
    print(f"ComfyUI exited unexpectedly. The end of its log:\n{server.log_tail()}", file=sys.stderr)
    return 1


def _exit_on_signal(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal.SIGTERM)
