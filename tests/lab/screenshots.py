"""``dev.py screenshots``: takes the screenshots in ``docs/images/`` of the panel on a real ComfyUI.

The pictures in them are paper dolls, drawn without a model, so documents that show these screenshots must say
so.
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

from .client import PREFIX, Client
from .demo import DRAWN_FAMILY, KNIGHT_SEED, KNIGHT_WORDS
from .environment import development_python
from .illustrations import draw_illustrations
from .obtain import obtain_comfyui
from .progress import Command, LabError
from .server import ComfyServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path("docs/images")
POSE_PICTURE = FOLDER / "pose.png"
COLOURS = 256  # screenshots have few colours, and documentation pages should load quickly
DOLL = {"family": DRAWN_FAMILY}
#: Requests of the gallery: prompt, then other fields.
CHARACTERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("old wizard, long grey beard, blue robe, pointed hat", {"seed": 3}),
    ("elf ranger, green cloak, brown boots, bow", {"seed": 12}),
    ("pirate, black coat, hat, eyepatch", {"seed": 4}),
    ("witch, black dress, pointed hat, red hair", {"seed": 5, "style": "watercolor"}),
    ("queen, crown, purple gown, blonde hair", {"seed": 2}),
    ("happy girl, pigtails, yellow dress", {"seed": 6}),
    ("samurai, red armor, sword", {"seed": 8, "style": "ink"}),
)
#: Her first picture, which becomes her portrait, and what she has besides.
MIRA_WORDS = "young woman, red hair, green eyes"
MIRA: dict[str, Any] = {
    "name": "Mira",
    "outfits": [
        {"name": "Armor", "words": "silver armor, red cape"},
        {"name": "Coat", "words": "black coat, hat"},
    ],
    "expressions": [{"name": "smug", "words": "a smug grin"}],
}
MATRIX: dict[str, Any] = {
    "name": "Mira: matrix",
    "outfits": [None, "Armor", "Coat"],
    "expressions": ["happy"],
    "views": ["front", "quarter_left", "left", "back"],
}
#: Large enough to be still drawing when the screenshot is taken.
SLOW = {"Width": "1536", "Height": "2304"}
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
    const fit = (axis, available, start) => available / (Math.max(...edge(axis, true)) - start);
    view.scale = Math.min(fit(0, innerWidth - 440, left), fit(1, innerHeight - 200, top));
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
    """A running ComfyUI without models, in which nothing was generated yet."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        server = ComfyServer(obtain_comfyui(), Path(base), pack=root, dotenv="")
        settings = Path(base) / "user" / "default" / "comfy.settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(QUIET_EDITOR), encoding="utf-8")
        with server:
            yield server


def _fill_gallery(client: Client, root: Path) -> None:
    client.upload(f"{PREFIX}/upload/pose_image", root / POSE_PICTURE)
    for prompt, fields in CHARACTERS:
        _generate(client, "/generate/avatar", {"prompt": prompt, **DOLL, **fields})
    _save_character(client)
    _generate(client, "/generate_all_poses", {"prompt": KNIGHT_WORDS, "seed": KNIGHT_SEED, **DOLL})


def _save_character(client: Client) -> None:
    """Mira, with a finished matrix."""
    first = _generate(
        client, "/generate/avatar", {"prompt": MIRA_WORDS, "clothing": "green dress", "seed": 9, **DOLL}
    )
    mira = client.post(f"{PREFIX}/generations/{first}/character", MIRA)
    batch = client.post(f"{PREFIX}/characters/{mira['character_id']}/matrix", MATRIX)
    path = f"{PREFIX}/batch/{batch['batch_id']}?wait=25"
    while (state := client.get(path)["status"]) not in ("completed", "failed"):
        pass
    if state == "failed":
        raise LabError("The matrix failed.")


def _generate(client: Client, route: str, body: dict[str, Any]) -> str:
    """The id of the finished generation."""
    id_: str = client.post(PREFIX + route, body)["generation_id"]
    path = f"{PREFIX}/generations/{id_}"
    while (generation := client.get(f"{path}?wait=25"))["status"] not in ("completed", "failed"):
        pass
    if generation["status"] == "failed":
        raise LabError(f"The generation failed: {generation['error']}")
    return id_


def make_screenshots(root: Path) -> list[Path]:
    """Take all screenshots. Returns the files written. Needs the development tools."""
    from browser import open_browser

    written = []
    with _prepared_server(root) as server, open_browser() as browser:
        page = browser.page
        page.set_default_timeout(TIMEOUT)
        for name, (size, scheme, prepare) in SHOTS.items():
            if name == FIRST_WITH_GALLERY:
                _fill_gallery(Client(server.url), root)
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


def _first_start(page: Page, server: str) -> None:
    page.goto(f"{server}{PREFIX}/")
    page.get_by_role("button", name="Try it without a model").wait_for()


def _fill_form(page: Page, pose: Path) -> None:
    page.get_by_label("Model", exact=True).select_option("Paper doll")
    page.get_by_label("Prompt", exact=True).fill(KNIGHT_WORDS)
    page.get_by_label("Style").fill("watercolor")
    page.locator(".avatarforge-slot input[type=file]").first.set_input_files(pose)
    page.get_by_text("Already stored: no upload needed.").wait_for()


def _gallery(page: Page, server: str) -> None:
    _open(page, server)
    _fill_form(page, _pose_picture())
    page.get_by_label("Prompt", exact=True).blur()


def _open_sheet(page: Page, server: str) -> None:
    _open(page, server)
    phone_tab = page.get_by_role("button", name="Create", exact=True)
    if phone_tab.is_visible():
        page.get_by_role("button", name="Gallery", exact=True).click()
    page.locator(".avatarforge-gallery button", has_text=KNIGHT_WORDS).click()
    page.locator(".avatarforge-pictures img").nth(3).wait_for()


def _detail(page: Page, server: str) -> None:
    _open_sheet(page, server)
    page.get_by_text("How the inputs were used").click()


def _takes(page: Page, server: str) -> None:
    """The sheet, with two takes of its front."""
    _open_sheet(page, server)
    page.locator(".avatarforge-pictures figure").first.get_by_role("button", name="Re-roll").click()
    page.locator(".avatarforge-take img").nth(1).wait_for()
    page.mouse.move(0, 0)


def _viewer(page: Page, server: str) -> None:
    _open_sheet(page, server)
    page.locator(".avatarforge-pictures .avatarforge-shown").first.click()
    page.locator(".avatarforge-viewer .avatarforge-stage img").first.wait_for()


def _compare(page: Page, server: str) -> None:
    _viewer(page, server)
    page.get_by_role("dialog").get_by_role("button", name="Compare").click()
    page.locator(".avatarforge-compare-pictures img").nth(1).wait_for()


def _pose_library(page: Page, server: str) -> None:
    _open(page, server)
    page.get_by_role("button", name="Library").click()
    page.get_by_role("dialog").locator("li svg").nth(20).wait_for()


def _pose_editor(page: Page, server: str) -> None:
    _pose_library(page, server)
    page.get_by_role("dialog").get_by_role("button", name="waving", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Edit pose").click()
    page.get_by_role("dialog").last.locator("svg[viewBox]").first.wait_for()


def _running(page: Page, server: str) -> None:
    _open(page, server)
    _fill_form(page, _pose_picture())
    page.get_by_text("Advanced").click()
    for label, value in SLOW.items():
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


def _characters(page: Page, server: str) -> None:
    page.goto(f"{server}{PREFIX}/#/characters")
    page.locator(".avatarforge-character-list img").first.wait_for()


def _character(page: Page, server: str) -> None:
    _characters(page, server)
    page.locator(".avatarforge-character-list button").first.click()
    page.locator(".avatarforge-new-picture .avatarforge-pick-picture").nth(20).wait_for()
    page.get_by_label("Armor", exact=True).check()


def _matrix(page: Page, server: str) -> None:
    _character(page, server)
    page.locator("summary", has_text="Matrices").click()
    page.get_by_role("button", name="Open the matrix").first.click()
    page.locator(".avatarforge-cell img").nth(11).wait_for()


def _sidebar(page: Page, server: str) -> None:
    page.goto(server)
    page.wait_for_function("() => window.app?.vueAppReady && window.app.rootGraph.nodes.length > 0")
    page.locator(".avatarforge-tab-button").click()
    page.locator(".avatarforge-panel").get_by_role("button", name="Gallery", exact=True).click()
    page.locator(".avatarforge-gallery button", has_text=KNIGHT_WORDS).click()
    page.get_by_role("button", name="Open as graph").click()
    page.wait_for_function("() => app.rootGraph.nodes.some((node) => node.type === 'AvatarForgeSave')")
    page.wait_for_timeout(1000)  # the editor first scrolls to the graph that it opened
    page.evaluate(MOVE_RIGHT_OF_SIDEBAR)
    page.wait_for_timeout(1000)


def _pose_picture() -> Path:
    return Path(__file__).resolve().parents[2] / POSE_PICTURE


_DESK, _PHONE, _EDITOR = (1400, 900), (390, 844), (1600, 960)
#: Name -> window size in pixels, theme, and the function that prepares the page.
SHOTS: dict[str, tuple[tuple[int, int], str, Callable[[Page, str], None]]] = {
    "panel-first-start": (_DESK, "light", _first_start),
    "panel-gallery": (_DESK, "light", _gallery),
    "panel-detail": (_DESK, "dark", _detail),
    "panel-takes": (_DESK, "light", _takes),
    "panel-viewer": (_DESK, "dark", _viewer),
    "panel-compare": (_DESK, "light", _compare),
    "panel-pose-library": (_DESK, "light", _pose_library),
    "panel-pose-editor": (_DESK, "dark", _pose_editor),
    "panel-phone-viewer": (_PHONE, "light", _viewer),
    "panel-phone-form": (_PHONE, "light", _phone_form),
    "panel-phone-gallery": (_PHONE, "dark", _phone_gallery),
    "panel-characters": (_DESK, "light", _characters),
    "panel-character": (_DESK, "light", _character),
    "panel-phone-character": (_PHONE, "dark", _character),
    "panel-matrix": (_DESK, "light", _matrix),
    "panel-sidebar": (_EDITOR, "dark", _sidebar),
    "panel-running": (_DESK, "light", _running),
}
FIRST_WITH_GALLERY = "panel-gallery"


if __name__ == "__main__":
    try:
        root = Path(sys.argv[1])
        for path in [*draw_illustrations(root), *make_screenshots(root)]:
            print(path.name)
    except LabError as error:
        sys.exit(f"\n{error}")
