"""``dev.py demo``: starts a ComfyUI with the pack and generates a character in four views."""

from __future__ import annotations

import json
import re
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

from . import synthetic
from .cache import cache_root, key
from .client import PREFIX, Client
from .given_models import place_models
from .host import ComfyUI
from .obtain import obtain_comfyui
from .progress import Command, LabError, Status, bar
from .server import ComfyServer, port_is_free

FIRST_PORT, PORTS = 8188, 20
POSE_PICTURE = Path("docs/images/pose.png")
VIEWS = 4
POLL_INTERVAL = 0.2
#: For the synthetic model, whose pictures are noise anyway: takes seconds on a CPU.
NOISE_SIZE, NOISE_STEPS = 256, 2
OWN_CHECKPOINT = (
    "For real pictures, pass the files of a model of any family (docs/models.md):\n"
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
class Models:
    """The models that the demo generates with.

    Attributes:
        noise: whether the checkpoint is the synthetic one.
        pose: whether a pose can be applied.
        model: the model to request; None leaves the choice to the pack.
    """

    noise: bool
    pose: bool
    model: str | None


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
        models = _provide_models(server, comfyui, options)
        _generate(server, root, comfyui, options, models)
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


def _provide_models(server: ComfyServer, comfyui: ComfyUI, options: DemoOptions) -> Models:
    """Link the files given on the command line, or the synthetic ones if there is no model."""
    client = Client(server.url)
    model = place_models(server, client, options.model)
    noise = not any(map(_is_usable, client.get(f"{PREFIX}/capabilities")["models"]))
    if noise:
        print(
            "No model is installed: the demo uses a synthetic checkpoint, whose pictures are noise.",
            flush=True,
        )
        for kind in ("sd15", "sd15-openpose"):
            server.add_model(synthetic.model_name(kind), synthetic.make(comfyui, kind))
    models = client.get(f"{PREFIX}/capabilities")["models"]
    chosen = [each for each in models if model is None or each["name"] == model]
    if model is not None and not any(map(_is_usable, chosen)):
        missing = ", ".join(f"{file['name'] or file['kind']}" for each in chosen for file in each["missing"])
        raise LabError(f"The model {model} also needs {missing}: name these files too (docs/models.md).")
    pose = any(method["works"] for each in chosen for method in each["pose"])
    return Models(noise, pose, model)


def _is_usable(model: Mapping[str, Any]) -> bool:
    return bool(model["supported"]) and not model["problem"] and not model["missing"]


def _generate(
    server: ComfyServer, root: Path, comfyui: ComfyUI, options: DemoOptions, models: Models
) -> None:
    client = Client(server.url)
    uploaded = client.upload(f"{PREFIX}/upload/pose_image", root / POSE_PICTURE)
    print(f"Uploaded {POSE_PICTURE.as_posix()} as {uploaded['file_id']}")
    size = options.size or (NOISE_SIZE if models.noise else None)
    fields = {
        "prompt": options.prompt,
        "pose_file_id": uploaded["file_id"] if models.pose else None,
        "model": models.model,
        "width": size,
        "height": size,
        "steps": options.steps or (NOISE_STEPS if models.noise else None),
    }
    if not models.pose:
        print(
            "Nothing installed applies a pose: the pose picture is not used. Add a ControlNet with --model."
        )
    body = {name: value for name, value in fields.items() if value is not None}
    generation = client.post(f"{PREFIX}/generate_all_poses", body)
    generation = _wait_for(server, client, generation["generation_id"])
    _save(client, root, comfyui, options, models, generation["output_files"])


def _wait_for(server: ComfyServer, client: Client, generation_id: str) -> dict[str, Any]:
    """Show a progress bar until the generation ends. Raises LabError if it fails."""
    status = Status("Generating four views")
    log_start = len(server.log())
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
        fraction = generation.get("progress")
        if fraction is None:
            fraction = fraction_in(server.log()[log_start:])
        status.show(f"{bar(fraction)}  {generation['status']}")
        time.sleep(POLL_INTERVAL)


def fraction_in(log: str) -> float:
    """Progress of four sampler runs, read from ComfyUI's progress bars, each of which starts at 0 %."""
    percents = [int(percent) for percent in re.findall(r"(\d+)%\|", log)]
    started = percents.count(0)
    return min((started - 1 + percents[-1] / 100) / VIEWS, 0.99) if started else 0.0


def _save(
    client: Client,
    root: Path,
    comfyui: ComfyUI,
    options: DemoOptions,
    models: Models,
    outputs: list[dict[str, Any]],
) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    saved: list[tuple[str, Path]] = []
    for output in outputs:
        target = options.out / f"{output['pose_type']}{Path(output['filename']).suffix}"
        client.download(output["url"], target)
        saved.append((output["pose_type"], target))
    sheet = options.out / "sheet.png"
    caption = "Noise from a synthetic model" if models.noise else options.prompt
    labelled = [f"{view}={path.resolve()}" for view, path in saved]
    command: Command = [comfyui.python, "-m", "lab.make_sheet", root, sheet.resolve(), caption, *labelled]
    result = subprocess.run(command, cwd=root / "tests", capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"The contact sheet could not be drawn:\n{result.stderr}")
    for view, path in (*saved, ("sheet", sheet)):
        print(f"  {view:8} {path.resolve()}")
    if models.noise:
        print(f"{synthetic.NOISE_NOTE}\n{OWN_CHECKPOINT}")


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
