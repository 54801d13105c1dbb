"""Progress, previews and interruption of what is drawn: the helper of the node, and a run."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from attention import comfyui_in_this_process
from listening import listening
from PIL import Image

from lab.api import Api
from lab.host import ComfyUI
from lab.server import ComfyServer

ROWS, PASSES = 3, 2


@pytest.fixture(scope="module")
def host(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    with comfyui_in_this_process(comfyui, tmp_path_factory.mktemp("base")) as modules:
        yield modules


class Recorded:
    """What ComfyUI's progress bar and our socket got."""

    def __init__(self, host: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, *, ours: bool) -> None:
        import comfy.utils

        self.steps: list[tuple[int, int, Any]] = []
        self.rows: list[Any] = []
        module, outer = host.view_previews, self

        class Socket(module.EventSocket):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                pass

            def show(self, preview: Any) -> None:
                outer.rows.append(preview)

        loop = SimpleNamespace(call_soon_threadsafe=lambda call, *args: call(*args))
        socket = Socket() if ours else object()
        server = SimpleNamespace(sockets={"us": socket}, client_id="us", loop=loop)
        monkeypatch.setattr(module, "PromptServer", SimpleNamespace(instance=server))
        context = SimpleNamespace(prompt_id="prompt", node_id="7")
        monkeypatch.setattr(module, "get_executing_context", lambda: context)

        def hook(value: int, total: int, preview: Any, node_id: object = None) -> None:
            self.steps.append((value, total, preview))

        monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", hook)


def draw(host: SimpleNamespace) -> None:
    from avatarforge.host.doll_progress import DrawingProgress

    progress = DrawingProgress(ROWS, PASSES)
    for row in range(ROWS):
        for done in range(1, PASSES + 1):
            progress(row, done, Image.new("RGB", (300, 600), (row * 80, done * 80, 0)))


@pytest.mark.parametrize("ours", [True, False])
def test_every_pass_of_every_row_is_a_step_with_a_preview(
    host: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    from comfy.cli_args import LatentPreviewMethod, args

    monkeypatch.setattr(args, "preview_method", LatentPreviewMethod.Auto)
    recorded = Recorded(host, monkeypatch, ours=ours)
    draw(host)
    total = ROWS * PASSES
    # ComfyUI leaves out steps without a preview that follow within milliseconds.
    values = [value for value, _, _ in recorded.steps]
    assert values == sorted(values)
    assert (values[0], values[-1], {most for _, most, _ in recorded.steps}) == (1, total, {total})
    shown = [preview for _, _, preview in recorded.steps if preview is not None]
    assert len(shown) == (PASSES if ours else total)
    for kind, picture, _ in shown:
        assert kind == "JPEG" and max(picture.size) <= host.view_previews.LARGEST
    assert [preview.row for preview in recorded.rows] == ([1, 1, 2, 2] if ours else [])
    for preview in recorded.rows:
        with Image.open(io.BytesIO(preview.jpeg)) as picture:
            assert picture.format == "JPEG"


def test_there_are_no_previews_if_they_are_off(
    host: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comfy.cli_args import LatentPreviewMethod, args

    monkeypatch.setattr(args, "preview_method", LatentPreviewMethod.NoPreviews)
    recorded = Recorded(host, monkeypatch, ours=True)
    draw(host)
    assert recorded.rows == [] and all(preview is None for _, _, preview in recorded.steps)


def test_it_stops_between_passes(host: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from comfy import model_management

    Recorded(host, monkeypatch, ours=True)
    model_management.interrupt_current_processing()
    with pytest.raises(model_management.InterruptProcessingException):
        draw(host)
    draw(host)  # the next one is not interrupted


def test_a_run_tells_its_progress_and_can_be_cancelled(modelless: ComfyServer) -> None:
    api = Api(modelless.url)
    body = {"prompt": "a knight", "family": "doll", "seed": 1, "steps": 4}
    with listening(api, "/events") as listener:
        listener.until("hello")
        large = api.generate("/generate_all_poses", **body, width=1536, height=2048)["generation_id"]
        listener.until("progress", large)
        shown = listener.until("preview", large).data["previews"]
        assert shown[0]["view"] == "front"
        assert api.post(f"/generations/{large}/cancel").status_code == 200
        listener.until("failed", large)
        small = api.generate("/generate_all_poses", **body, width=64, height=64)["generation_id"]
        listener.until("completed", small)
        moments = [event.data for event in listener.events if event.kind == "progress"]
    drawing = [
        (moment["generation_id"], moment["current"]["steps"])
        for moment in moments
        if moment["current"]["node"] == "AvatarForgePaperDoll"
    ]
    assert (large, 16) in drawing
    failed = api.get(f"/generations/{large}").json()
    assert (failed["status"], failed["error_code"]) == ("failed", "cancelled")
    retried = api.post(f"/generations/{large}/retry")
    assert retried.status_code == 200
    api.delete(f"/generations/{large}")
