"""``dev.py demo``: starts a ComfyUI with the pack and generates a character in four views."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from . import synthetic
from .cache import cache_root, key
from .client import PREFIX, Client
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
    "For real pictures, pass a checkpoint and a pose ControlNet of its family (SD1.5 or SDXL):\n"
    "    python3 dev.py demo --checkpoint FILE.safetensors --controlnet FILE.safetensors"
)


@dataclass(frozen=True)
class DemoOptions:
    """Command line options; None means the default of the demo or the pack."""

    prompt: str
    out: Path
    once: bool = False
    checkpoint: Path | None = None
    controlnet: Path | None = None
    port: int | None = None
    steps: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class Models:
    """The models that the demo generates with.

    Attributes:
        noise: whether the checkpoint is the synthetic one.
        pose: whether a pose ControlNet is installed.
        checkpoint: the checkpoint to request; None leaves the choice to the pack.
    """

    noise: bool
    pose: bool
    checkpoint: str | None


def run_demo(root: Path, options: DemoOptions) -> int:
    """Run the demo of the clone at ``root`` and return the exit code. Raises LabError."""
    for file in (options.checkpoint, options.controlnet):
        if file is not None and not file.is_file():
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
    """Link the models given on the command line, or the synthetic ones if there is no checkpoint."""
    client = Client(server.url)
    if options.checkpoint:
        server.add_model(f"checkpoints/{options.checkpoint.name}", options.checkpoint)
    if options.controlnet:
        name = options.controlnet.name
        # The pack recognises a pose ControlNet by its file name.
        server.add_model(
            f"controlnet/{name if 'pose' in name.lower() else f'openpose-{name}'}", options.controlnet
        )
    noise = not client.get("/models/checkpoints")
    if noise:
        print(
            "No checkpoint is installed: the demo uses a synthetic one, whose pictures are noise.", flush=True
        )
        server.add_model(synthetic.model_name("sd15"), synthetic.make(comfyui, "sd15"))
        if not options.controlnet:
            server.add_model(synthetic.model_name("sd15-openpose"), synthetic.make(comfyui, "sd15-openpose"))
    pose = any("pose" in name.lower() for name in client.get("/models/controlnet"))
    return Models(noise, pose, options.checkpoint.name if options.checkpoint else None)


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
        "checkpoint": models.checkpoint,
        "width": size,
        "height": size,
        "steps": options.steps or (NOISE_STEPS if models.noise else None),
    }
    if not models.pose:
        print(
            "No pose ControlNet is installed: the pose picture is not used. Add one with --controlnet FILE."
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
