"""``dev.py screenshots``: takes the screenshots in ``docs/images/`` of the panel on a real ComfyUI.

The models are synthetic and generate noise, so documents that show these screenshots must say so.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import synthetic
from .client import PREFIX, Client
from .environment import development_python
from .obtain import obtain_comfyui
from .progress import Command, LabError
from .server import ComfyServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path("docs/images")
POSE_PICTURE = FOLDER / "pose.png"
COLOURS = 256  # screenshots have few colours, and documentation pages should load quickly
SMALL = {"width": 128, "height": 192, "steps": 1}
PROMPTS = (
    "old wizard, grey beard, blue robe",
    "desert ranger, brown coat, goggles",
    "pirate captain, black coat, hat",
    "robot gardener, brass, green leaves",
    "ice queen, white dress, crown",
    "street musician, red scarf, guitar",
    "astronaut, orange suit",
)
PROMPT = "female knight, silver armor, red cape"
QUIET_EDITOR = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Locale": "en",
    "Comfy.Minimap.Visible": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # draw text at any zoom level
}
#: Moves the graph into the part of the canvas that the sidebar does not cover.
MOVE_RIGHT_OF_SIDEBAR = """() => {
    const { nodes } = app.rootGraph, view = app.canvas.ds;
    const edge = (axis, end) => nodes.map((node) => node.pos[axis] + (end ? node.size[axis] : 0));
    const [left, top] = [0, 1].map((axis) => Math.min(...edge(axis)));
    const available = innerWidth - 440;
    view.scale = available / (Math.max(...edge(0, true)) - left);
    view.offset = [400 / view.scale - left, 160 / view.scale - top];
    app.canvas.deselectAll?.();
    app.canvas.setDirty(true, true);
}"""
TIMEOUT = 300_000  # ms
#: Decodes pictures outside the viewport too: a lazy picture is otherwise decoded only when scrolled to.
DECODE_IMAGES = """() => Promise.all([...document.images].map((image) => {
    image.loading = "eager";
    return image.decode().catch(() => {});
}))"""


def run_screenshots(root: Path) -> int:
    """Retake the screenshots. Returns the exit code. Raises LabError."""
    python = development_python(obtain_comfyui(), root)
    command: Command = [python, "-m", "lab.screenshots", root]
    return subprocess.run(command, cwd=root / "tests", check=False).returncode


@contextmanager
def _prepared_server(root: Path) -> Iterator[ComfyServer]:
    """A running ComfyUI with a few completed generations."""
    comfyui = obtain_comfyui()
    models = synthetic.models(comfyui, ("sd15", "sd15-openpose"))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        server = ComfyServer(comfyui, Path(base), pack=root, dotenv="", models=models)
        settings = Path(base) / "user" / "default" / "comfy.settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(QUIET_EDITOR), encoding="utf-8")
        with server:
            client = Client(server.url)
            pose = client.upload(f"{PREFIX}/upload/pose_image", root / POSE_PICTURE)["file_id"]
            for prompt in PROMPTS:
                _generate(client, "/generate/avatar", {"prompt": prompt, **SMALL})
            _generate(client, "/generate_all_poses", {"prompt": PROMPT, "pose_file_id": pose, **SMALL})
            yield server


def _generate(client: Client, route: str, body: dict[str, Any]) -> None:
    path = f"{PREFIX}/generations/{client.post(PREFIX + route, body)['generation_id']}"
    while (generation := client.get(f"{path}?wait=25"))["status"] not in ("completed", "failed"):
        pass
    if generation["status"] == "failed":
        raise LabError(f"The generation failed: {generation['error']}")


def make_screenshots(root: Path) -> list[Path]:
    """Take all screenshots. Returns the files written. Needs the development tools."""
    from browser import open_browser

    written = []
    with _prepared_server(root) as server, open_browser() as browser:
        page = browser.page
        page.set_default_timeout(TIMEOUT)
        for name, (size, scheme, prepare) in SHOTS.items():
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto("about:blank")
            prepare(page, server.url)
            page.evaluate(DECODE_IMAGES)
            path = root / FOLDER / f"{name}.png"
            _write(page.screenshot(), path)
            written.append(path)
    return written


def _write(screenshot: bytes, path: Path) -> None:
    from PIL import Image

    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, "PNG", optimize=True)


def _open(page: Page, server: str) -> None:
    page.goto(f"{server}{PREFIX}/")
    page.locator(".avatarforge-drawing svg").first.wait_for()
    page.locator(".avatarforge-gallery img").first.wait_for(state="attached")


def _fill_form(page: Page, pose: Path) -> None:
    page.get_by_label("Prompt", exact=True).fill(PROMPT)
    page.get_by_label("Style").fill("watercolor")
    page.locator(".avatarforge-slot input[type=file]").first.set_input_files(pose)
    page.get_by_text("Already stored: no upload needed.").wait_for()


def _gallery(page: Page, server: str) -> None:
    _open(page, server)
    _fill_form(page, _pose_picture())
    page.get_by_label("Prompt", exact=True).blur()


def _detail(page: Page, server: str) -> None:
    _open(page, server)
    page.locator(".avatarforge-gallery button", has_text=PROMPT).click()
    page.locator(".avatarforge-pictures img").nth(3).wait_for()
    page.get_by_text("How the inputs were used").click()


def _running(page: Page, server: str) -> None:
    _open(page, server)
    _fill_form(page, _pose_picture())
    page.get_by_text("Advanced").click()
    for label, value in (("Width", "128"), ("Height", "192"), ("Steps", "40")):
        page.get_by_label(label).fill(value)
    page.get_by_text("Advanced").click()
    page.get_by_role("button", name="Generate sheet").click()
    page.locator(".avatarforge-open").first.click()
    page.locator(".avatarforge-live .avatarforge-previews img").nth(3).wait_for()


def _phone_form(page: Page, server: str) -> None:
    _open(page, server)
    _fill_form(page, _pose_picture())
    page.get_by_label("Prompt", exact=True).blur()


def _phone_gallery(page: Page, server: str) -> None:
    _open(page, server)
    page.get_by_role("button", name="Gallery", exact=True).click()
    page.locator(".avatarforge-gallery img").first.wait_for()


def _sidebar(page: Page, server: str) -> None:
    page.goto(server)
    page.wait_for_function("() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0")
    page.locator(".avatarforge-tab-button").click()
    page.locator(".avatarforge-panel").get_by_role("button", name="Gallery", exact=True).click()
    page.locator(".avatarforge-gallery button", has_text=PROMPT).click()
    page.get_by_role("button", name="Open as graph").click()
    page.wait_for_function("() => app.rootGraph.nodes.some((node) => node.type === 'AvatarForgeSave')")
    page.wait_for_timeout(1000)  # the editor first scrolls to the graph that it opened
    page.evaluate(MOVE_RIGHT_OF_SIDEBAR)
    page.wait_for_timeout(1000)


def _pose_picture() -> Path:
    return Path(__file__).resolve().parents[2] / POSE_PICTURE


_DESK, _PHONE, _EDITOR = (1280, 860), (390, 844), (1600, 960)
#: Name -> window size in pixels, theme, and the function that prepares the page.
SHOTS: dict[str, tuple[tuple[int, int], str, Callable[[Page, str], None]]] = {
    "panel-gallery": (_DESK, "light", _gallery),
    "panel-detail": (_DESK, "dark", _detail),
    "panel-phone-form": (_PHONE, "light", _phone_form),
    "panel-phone-gallery": (_PHONE, "dark", _phone_gallery),
    "panel-sidebar": (_EDITOR, "dark", _sidebar),
    "panel-running": (_DESK, "light", _running),
}


if __name__ == "__main__":
    from .brand import draw_brand  # needs Pillow, which the Python that runs dev.py may lack

    try:
        root = Path(sys.argv[1])
        for path in [*draw_brand(root / FOLDER), *make_screenshots(root)]:
            print(path.name)
    except LabError as error:
        sys.exit(f"\n{error}")
