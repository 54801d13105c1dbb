"""What the soak counts, it would also find."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from lab import soak_checks
from lab.soak_clients import Ledger, png

ONE = "11111111-2222-4333-8444-555555555555"
FILE = "66666666-2222-4333-8444-555555555555"


class Answers:
    """An API with one completed generation and one upload."""

    def __init__(self) -> None:
        self.picture = b"a picture"
        self.upload: tuple[int, bytes] = (200, png(5))
        self.generation: dict[str, Any] = {
            "generation_id": ONE,
            "status": "completed",
            "kind": "avatar",
            "error": None,
            "output_files": [
                {"filename": "a.png", "url": "/outputs/1/a.png", "size": len(self.picture), "takes": 1}
            ],
        }

    def request(self, method: str, path: str) -> tuple[int, bytes, str]:
        if path.startswith("/files/"):
            return *self.upload, ""
        if path.startswith("/outputs/"):
            return 200, self.picture, hashlib.sha256(b"a picture").hexdigest()
        return 404, b"", ""

    def call(self, method: str, path: str) -> dict[str, Any]:
        return {"generations": [self.generation], "next_cursor": None}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "output" / "avatarforge" / ONE
    folder.mkdir(parents=True)
    (folder / "a.png").touch()
    (tmp_path / "comfyui.log").touch()
    return tmp_path


def wrong(monkeypatch: pytest.MonkeyPatch, base: Path, answers: Answers, ledger: Ledger) -> list[str]:
    monkeypatch.setattr(soak_checks, "Http", lambda *_: answers)
    server: Any = SimpleNamespace(port=1, base=base, log_path=base / "comfyui.log")
    return soak_checks.verify(server, ledger)[0]


def promised() -> Ledger:
    return Ledger(uploads={FILE: (5, 64)}, generations={ONE: 1})


def test_what_holds_has_no_fault(monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
    assert wrong(monkeypatch, base, Answers(), promised()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"status": "queued"}, "is queued"),
        ({"kind": "graph"}, "kind graph"),
        ({"status": "failed"}, "with the error None"),
        ({"output_files": []}, "has 0 pictures of 1"),
        ({"generation_id": FILE}, "was accepted and is gone"),
    ],
)
def test_a_generation_that_is_not_as_promised_is_found(
    monkeypatch: pytest.MonkeyPatch, base: Path, change: dict[str, Any], told: str
) -> None:
    answers = Answers()
    answers.generation |= change
    assert told in "\n".join(wrong(monkeypatch, base, answers, promised()))


def test_lost_bytes_leftovers_and_what_came_back_are_found(
    monkeypatch: pytest.MonkeyPatch, base: Path
) -> None:
    answers, ledger = Answers(), promised()
    answers.upload, answers.picture = (200, b"other"), b"half"
    ledger.generations_deleted.add(ONE)
    ledger.surprises.append("GET /x: 500")
    for name in (f"output/avatarforge/{ONE}/.1.part", f"output/avatarforge/{FILE}/b.png"):
        (base / name).parent.mkdir(exist_ok=True)
        (base / name).touch()
    (base / "comfyui.log").write_text("AvatarForge: unexpected error\n")
    found = "\n".join(wrong(monkeypatch, base, answers, ledger))
    for told in (
        f"file {FILE} was accepted and answers 200, 5 bytes",
        f"generation {ONE} was deleted and came back",
        "a.png: 200, 4 bytes of 9",
        "left over: output",
        f"the pictures of {FILE} have no generation",
        "GET /x: 500",
        "in the log",
    ):
        assert told in found


def test_its_pictures_are_pictures() -> None:
    with Image.open(io.BytesIO(png(3, 80))) as image:
        image.load()
        assert (image.format, image.size, image.mode) == ("PNG", (80, 80), "RGB")
    assert png(3) == png(3) != png(4)
