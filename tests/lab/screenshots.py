"""``dev.py screenshots``: pictures of the panel's main states, on a real ComfyUI, into ``docs/images/``.

The models are synthetic, so what they generate is noise: whatever shows these pictures has to say so.
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
COLOURS = 256  # of a PNG; screens have few, and a page of documentation should load quickly
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
WORDS = "female knight, silver armor, red cape"
QUIET_EDITOR = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Locale": "en",
    "Comfy.Minimap.Visible": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # texts are drawn however small
}
#: The graph beside the sidebar, which covers the left of the canvas.
BESIDE = """() => {
    const { nodes } = app.rootGraph, view = app.canvas.ds;
    const edge = (at, end) => nodes.map((node) => node.pos[at] + (end ? node.size[at] : 0));
    const [left, top] = [0, 1].map((at) => Math.min(...edge(at)));
    const room = innerWidth - 440;
    view.scale = room / (Math.max(...edge(0, true)) - left);
    view.offset = [400 / view.scale - left, 160 / view.scale - top];
    app.canvas.deselectAll?.();
    app.canvas.setDirty(true, true);
}"""
WAIT = 300_000  # ms
# Off the screen too: a lazy picture that nobody scrolls to is never decoded.
DECODED = """() => Promise.all([...document.images].map((one) => {
    one.loading = "eager";
    return one.decode().catch(() => {});
}))"""


def run_screenshots(root: Path) -> int:
    """Write the pictures again. Returns the exit code. Raises LabError."""
    python = development_python(obtain_comfyui(), root)
    command: Command = [python, "-m", "lab.screenshots", root]
    return subprocess.run(command, cwd=root / "tests", check=False).returncode


@contextmanager
def _prepared(root: Path) -> Iterator[ComfyServer]:
    """A ComfyUI in which a few generations have ended."""
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
                _finish(client, "/generate/avatar", {"prompt": prompt, **SMALL})
            _finish(client, "/generate_all_poses", {"prompt": WORDS, "pose_file_id": pose, **SMALL})
            yield server


def _finish(client: Client, route: str, body: dict[str, Any]) -> None:
    path = f"{PREFIX}/generations/{client.post(PREFIX + route, body)['generation_id']}"
    while (generation := client.get(f"{path}?wait=25"))["status"] not in ("completed", "failed"):
        pass
    if generation["status"] == "failed":
        raise LabError(f"The generation failed: {generation['error']}")


def make_screenshots(root: Path) -> list[Path]:
    """Take every picture; the files written. Needs the development tools."""
    from browser import open_browser

    written = []
    with _prepared(root) as server, open_browser() as browser:
        page = browser.page
        page.set_default_timeout(WAIT)
        for name, (size, scheme, take) in SHOTS.items():
            page.set_viewport_size({"width": size[0], "height": size[1]})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto("about:blank")
            take(page, server.url)
            page.evaluate(DECODED)
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


def _describe(page: Page, pose: Path) -> None:
    page.get_by_label("Prompt", exact=True).fill(WORDS)
    page.get_by_label("Style").fill("watercolor")
    page.locator(".avatarforge-slot input[type=file]").first.set_input_files(pose)
    page.get_by_text("Already stored: no upload needed.").wait_for()


def _gallery(page: Page, server: str) -> None:
    _open(page, server)
    _describe(page, _pose())
    page.get_by_label("Prompt", exact=True).blur()


def _detail(page: Page, server: str) -> None:
    _open(page, server)
    page.locator(".avatarforge-gallery button", has_text=WORDS).click()
    page.locator(".avatarforge-pictures img").nth(3).wait_for()
    page.get_by_text("How the inputs were used").click()


def _running(page: Page, server: str) -> None:
    _open(page, server)
    _describe(page, _pose())
    page.get_by_text("Advanced").click()
    for label, value in (("Width", "128"), ("Height", "192"), ("Steps", "40")):
        page.get_by_label(label).fill(value)
    page.get_by_text("Advanced").click()
    page.get_by_role("button", name="Generate sheet").click()
    page.locator(".avatarforge-open").first.click()
    page.locator(".avatarforge-live .avatarforge-previews img").nth(3).wait_for()


def _phone_form(page: Page, server: str) -> None:
    _open(page, server)
    _describe(page, _pose())
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
    page.locator(".avatarforge-gallery button", has_text=WORDS).click()
    page.get_by_role("button", name="Open as graph").click()
    page.wait_for_function("() => app.rootGraph.nodes.some((node) => node.type === 'AvatarForgeSave')")
    page.wait_for_timeout(1000)  # the editor brings what it has opened into view, and then we do
    page.evaluate(BESIDE)
    page.wait_for_timeout(1000)


def _pose() -> Path:
    return Path(__file__).resolve().parents[2] / POSE_PICTURE


_DESK, _PHONE, _EDITOR = (1280, 860), (390, 844), (1600, 960)
#: Name -> window in pixels, theme, and what leads there.
SHOTS: dict[str, tuple[tuple[int, int], str, Callable[[Page, str], None]]] = {
    "panel-gallery": (_DESK, "light", _gallery),
    "panel-detail": (_DESK, "dark", _detail),
    "panel-phone-form": (_PHONE, "light", _phone_form),
    "panel-phone-gallery": (_PHONE, "dark", _phone_gallery),
    "panel-sidebar": (_EDITOR, "dark", _sidebar),
    "panel-running": (_DESK, "light", _running),
}


if __name__ == "__main__":
    from .brand import draw_brand  # needs Pillow, which the Python of dev.py may lack

    try:
        root = Path(sys.argv[1])
        for made in [*draw_brand(root / FOLDER), *make_screenshots(root)]:
            print(made.name)
    except LabError as error:
        sys.exit(f"\n{error}")
