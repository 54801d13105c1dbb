"""Exports where they are used: an atlas in Phaser and PixiJS, an archive in 7-Zip and a browser."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browser import open_browser
from exporting import BLUE, GREEN, RED, Drawn, export_pictures, made, material_of

from avatarforge.forge.export.members import Checksums, PartArchive, TextPart
from avatarforge.forge.export.naming import Shows
from lab.js_tools import game_engines
from lab.system import seven_zip

SHOWS = [
    Shows(expression="happy", view="front"),
    Shows(expression="happy", view="back"),
    Shows(expression="sad", view="front"),
]
COLOURS = {"happy_front": RED, "happy_back": BLUE, "sad_front": GREEN}
#: What both engines tell of each frame, and the pixel above its feet once a sprite stands somewhere.
PHASER = """() => new Promise((resolve, reject) => {
    const game = new Phaser.Game({
        type: Phaser.CANVAS, width: 300, height: 100, banner: false, audio: { noAudio: true },
        scene: {
            preload() {
                this.load.on("loaderror", (file) => reject(new Error(file.key)));
                this.load.atlas("hash", "mira.png", "mira.json");
                this.load.atlas("array", "mira.png", "mira.array.json");
            },
            create() {
                const told = {};
                for (const [index, name] of this.textures.get("hash").getFrameNames().entries()) {
                    const x = 50 + 90 * index;
                    const sprite = this.add.sprite(x, 90, "hash", name);
                    const box = (frame) => [frame.cutX, frame.cutY, frame.cutWidth, frame.cutHeight];
                    told[name] = {
                        x, box: box(sprite.frame), array: box(this.textures.getFrame("array", name)),
                        pivot: [sprite.frame.pivotX, sprite.frame.pivotY],
                        origin: [sprite.originX, sprite.originY],
                        corner: [sprite.getTopLeft().x - x, sprite.getTopLeft().y - 90],
                    };
                }
                game.events.once("postrender", () => {
                    const context = game.canvas.getContext("2d");
                    for (const frame of Object.values(told)) {
                        frame.pixel = [...context.getImageData(frame.x, 88, 1, 1).data].slice(0, 3);
                    }
                    resolve(told);
                });
            },
        },
    });
})"""
PIXI = """async () => {
    const sheet = await PIXI.Assets.load("mira.json");
    const told = {};
    const source = Object.values(sheet.textures)[0].source.resource;
    const canvas = new OffscreenCanvas(200, 100);
    const context = canvas.getContext("2d");
    for (const [name, texture] of Object.entries(sheet.textures)) {
        const sprite = new PIXI.Sprite(texture);
        sprite.position.set(100, 90);
        const bounds = sprite.getBounds();
        const { x, y, width, height } = texture.frame;
        context.clearRect(0, 0, 200, 100);
        context.drawImage(source, x, y, width, height, bounds.x, bounds.y, width, height);
        told[name] = { box: [x, y, width, height], pivot: [texture.defaultAnchor.x, texture.defaultAnchor.y],
                       origin: [sprite.anchor.x, sprite.anchor.y], corner: [bounds.x - 100, bounds.y - 90],
                       pixel: [...context.getImageData(100, 88, 1, 1).data].slice(0, 3) };
    }
    return { told, animations: Object.fromEntries(Object.entries(sheet.animations).map(
        ([name, textures]) => [name, textures.map((texture) => texture.label)])) };
}"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test fails where it looks."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Frames of 28x80 pixels, with the feet 16 pixels from the left."""
    drawn = [
        Drawn(background=None),
        Drawn(body=(16, 10, 44, 80), background=None, colour=BLUE),
        Drawn(background=None, colour=GREEN),
    ]
    return made(material_of("atlas", export_pictures(tmp_path_factory.mktemp("drawn"), drawn, SHOWS)))


def packed(members: dict[str, bytes]) -> bytes:
    parts = [TextPart(name, content) for name, content in members.items()]
    return b"".join(PartArchive(parts, Checksums()).pieces())


def test_phaser_and_pixijs_load_the_atlas_with_its_frames_and_pivots(
    atlas: dict[str, bytes], tmp_path: Path
) -> None:
    for name, content in atlas.items():
        (tmp_path / name).write_bytes(content)
    builds = game_engines()
    for build in ("phaser.min.js", "pixi.min.js"):
        (tmp_path / build).write_bytes((builds / build).read_bytes())
        head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
        page = f'{head}<body><script src="{build}"></script>'
        (tmp_path / f"{build}.html").write_text(page, encoding="utf-8")
    frames = json.loads(atlas["mira.json"])["frames"]
    with served(tmp_path) as url, open_browser(400, 300) as browser:
        browser.page.goto(f"{url}/phaser.min.js.html")
        by_phaser = browser.page.evaluate(PHASER)
        assert browser.page.evaluate("() => Phaser.VERSION.split('.')[0]") == "4"
        browser.page.goto(f"{url}/pixi.min.js.html")
        by_pixi = browser.page.evaluate(PIXI)
        assert browser.page.evaluate("() => PIXI.VERSION.split('.')[0]") == "8"
        assert browser.complaints == []
        assert browser.foreign(url) == []
    assert by_pixi["animations"] == {"happy": ["happy_front", "happy_back"], "sad": ["sad_front"]}
    for told in (by_phaser, by_pixi["told"]):
        assert told.keys() == COLOURS.keys()
        for name, frame in told.items():
            place = frames[name]["frame"]
            assert frame["box"] == frame.get("array", frame["box"]) == [place[side] for side in "xywh"]
            assert frame["box"][2:] == [28, 80]
            for pivot in (frame["pivot"], frame["origin"]):
                assert pivot == pytest.approx([16 / 28, 1.0], abs=1e-5)
            assert frame["corner"] == pytest.approx([-16, -80], abs=1e-3)
            assert frame["pixel"] == [*COLOURS[name]]


def test_seven_zip_opens_the_archive_and_a_browser_saves_it(atlas: dict[str, bytes], tmp_path: Path) -> None:
    data = packed(atlas)
    archive, unpacked = tmp_path / "mira-atlas.zip", tmp_path / "unpacked"
    archive.write_bytes(data)
    program = seven_zip()
    quiet = ("-bso0", "-bsp0")  # nothing but errors
    tested = subprocess.run([program, "t", *quiet, archive], capture_output=True, text=True, check=False)
    assert (tested.returncode, tested.stdout, tested.stderr) == (0, "", "")
    subprocess.run([program, "x", *quiet, f"-o{unpacked}", archive], check=True)
    assert {file.name: file.read_bytes() for file in unpacked.iterdir()} == atlas
    with served(tmp_path) as url, open_browser(400, 300) as browser:
        (tmp_path / "page.html").write_text('<a href="mira-atlas.zip" download>Save</a>', encoding="utf-8")
        browser.page.goto(f"{url}/page.html")
        with browser.page.expect_download() as waited:
            browser.page.get_by_text("Save").click()
        assert Path(waited.value.path()).read_bytes() == data
