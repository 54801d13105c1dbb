"""Generations from the request to the pictures: what is resolved, stored, deleted and listed."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pictures import picture
from services import Product, product

from avatarforge.db import files as file_queries
from avatarforge.db import row_counts
from avatarforge.db.records import GenerationRecord
from avatarforge.forge.errors import (
    NotFoundError,
    PromptRefusedError,
    RejectedUploadError,
    UnavailableError,
    UnprocessableError,
)
from avatarforge.forge.ports import InstalledModels, PromptEvent
from avatarforge.forge.settings import Settings
from avatarforge.forge.spec.request import AvatarRequest
from avatarforge.forge.spec.views import SHEET_VIEWS

KNIGHT = AvatarRequest(prompt="a knight")


@pytest.fixture
async def forge(tmp_path: Path) -> AsyncIterator[Product]:
    async with product(tmp_path) as opened:
        yield opened


async def upload(forge: Product, seed: int = 0) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield picture(seed)

    return (await forge.files.receive(chunks(), "a.png")).file.id


async def references(forge: Product, file_id: str) -> int:
    return await forge.database.read(lambda connection: file_queries.reference_count(connection, file_id))


async def everything(forge: Product) -> tuple[int, tuple[int, int], list[str]]:
    total = await forge.database.read(lambda connection: row_counts.count_generations(connection, None))
    return total, await forge.database.read(file_queries.totals), list(forge.host.submitted)


async def test_a_request_is_queued_then_runs_then_is_completed(forge: Product) -> None:
    record = await forge.generations.submit(KNIGHT, "all_poses", SHEET_VIEWS)
    assert (record.status, record.started_at, record.completed_at) == ("queued", None, None)
    forge.host.start(record.prompt_id)
    running = await forge.until(record.id, "processing")
    assert running.started_at is not None
    forge.host.save(record.prompt_id)
    forge.host.end(PromptEvent("succeeded", record.prompt_id))
    done = await forge.until(record.id, "completed")
    assert done.completed_at is not None
    assert done.completed_at >= running.started_at >= record.created_at
    assert [output.view for output in done.outputs] == list(SHEET_VIEWS)
    for output in done.outputs:
        content = (forge.host.output_folder / record.id / output.filename).read_bytes()
        assert (output.size, output.width, output.height) == (len(content), 64, 64)


async def test_every_value_used_is_kept_with_the_seed(forge: Product) -> None:
    record = await forge.generations.submit(KNIGHT, "avatar", None)
    spec = record.spec
    assert (spec.checkpoint, spec.width, spec.height) == ("anime-sd15.safetensors", 512, 768)
    assert 0 <= spec.seed < 2**53
    other = (await forge.generations.submit(KNIGHT, "avatar", None)).spec
    assert other.seed != spec.seed
    fixed = replace(KNIGHT, seed=0, realism=True, steps=3, cfg=0.0)
    spec = (await forge.generations.submit(fixed, "avatar", None)).spec
    assert (spec.seed, spec.checkpoint, spec.steps, spec.cfg) == (0, "realistic-sd15.safetensors", 3, 0.0)


async def test_set_defaults_stand_where_the_request_is_silent(tmp_path: Path) -> None:
    settings = Settings(default_width=64, default_height=128, default_steps=2)
    async with product(tmp_path, settings=settings) as forge:
        spec = (await forge.generations.submit(KNIGHT, "avatar", None)).spec
        assert (spec.width, spec.height, spec.steps) == (64, 128, 2)


async def test_a_pose_image_decides_the_view_of_a_plain_avatar(forge: Product) -> None:
    file_id = await upload(forge)
    for strength, views in ((None, (None,)), (0.0, ("front",))):
        request = replace(KNIGHT, pose_file_id=file_id, pose_strength=strength)
        record = await forge.generations.submit(request, "avatar", None)
        assert record.spec.views == views


async def test_the_receipt_names_the_pictures_and_what_applied_them(forge: Product) -> None:
    pose, reference = await upload(forge, 1), await upload(forge, 2)
    request = replace(KNIGHT, pose_file_id=pose, reference_file_id=reference, reference_strength=0.25)
    record = await forge.generations.submit(request, "pose", ("back",))
    lines = json.loads(record.receipt_json)["inputs"]
    assert [(line["role"], line["file_id"], line["strength"], line["view"]) for line in lines] == [
        ("pose", pose, 1.0, "back"),
        ("reference", reference, 0.25, "back"),
    ]
    prompt = forge.host.prompts[record.prompt_id]
    assert [prompt[line["node"]]["class_type"] for line in lines] == [
        "AvatarForgeApplyPose",
        "AvatarForgeApplyReference",
    ]


async def test_base64_pictures_are_stored_and_used(forge: Product) -> None:
    file_id = await upload(forge, 1)
    request = replace(
        KNIGHT,
        pose_image=base64.b64encode(picture(1)).decode(),
        reference_image=base64.b64encode(picture(2)).decode(),
    )
    spec = (await forge.generations.submit(request, "avatar", None)).spec
    assert spec.pose is not None
    assert spec.pose.file.file_id == file_id
    assert spec.reference is not None
    assert await references(forge, spec.reference.file_id) == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"pose_file_id": "nope"}, NotFoundError),
        ({"checkpoint": "nope"}, UnprocessableError),
        ({"sampler": "nope"}, UnprocessableError),
        ({"scheduler": "nope"}, UnprocessableError),
        ({"pose_file_id": "x", "pose_image": "y"}, UnprocessableError),
        ({"reference_image": "bm8gcGljdHVyZQ=="}, RejectedUploadError),
    ],
)
async def test_a_refused_request_leaves_no_trace(
    forge: Product, change: dict[str, str], error: type[Exception]
) -> None:
    before = await everything(forge)
    request = replace(KNIGHT, **{"pose_image": base64.b64encode(picture()).decode(), **change})  # type: ignore[arg-type]
    if "pose_file_id" in change and "pose_image" not in change:
        request = replace(request, pose_image=None)
    with pytest.raises(error):
        await forge.generations.submit(request, "avatar", None)
    assert await everything(forge) == before
    assert not [path for path in forge.blobs.folder.rglob("*") if path.is_file()]


async def test_a_prompt_that_comfyui_refuses_leaves_no_trace(forge: Product) -> None:
    before = await everything(forge)
    forge.host.refusal = "KSampler says no"
    with pytest.raises(PromptRefusedError, match="KSampler says no"):
        await forge.generations.submit(
            replace(KNIGHT, reference_image=base64.b64encode(picture()).decode()), "avatar", None
        )
    assert await everything(forge) == before


async def test_missing_models_are_named(forge: Product) -> None:
    file_id = await upload(forge)
    forge.host.installed = replace(forge.host.installed, controlnets=())
    with pytest.raises(UnavailableError, match="models/controlnet"):
        await forge.generations.submit(replace(KNIGHT, pose_file_id=file_id), "avatar", None)
    forge.host.installed = InstalledModels((), (), (), ())
    with pytest.raises(UnavailableError, match="models/checkpoints"):
        await forge.generations.submit(KNIGHT, "avatar", None)


async def test_delete_takes_the_pictures_and_releases_the_files(forge: Product) -> None:
    file_id = await upload(forge)
    record = await forge.generations.submit(replace(KNIGHT, reference_file_id=file_id), "avatar", None)
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    assert await references(forge, file_id) == 1
    folder = forge.host.output_folder / record.id
    await forge.generations.delete(record.id, keep_outputs=False)
    assert not folder.exists()
    assert await references(forge, file_id) == 0
    with pytest.raises(NotFoundError):
        await forge.generations.get(record.id)


async def test_delete_can_keep_the_pictures(forge: Product) -> None:
    record = await forge.generations.submit(KNIGHT, "avatar", None)
    forge.host.succeed(record.prompt_id)
    await forge.until(record.id, "completed")
    await forge.generations.delete(record.id, keep_outputs=True)
    assert (forge.host.output_folder / record.id / "avatarforge_00001.png").is_file()


async def test_the_last_generation_takes_a_hidden_file_with_it(forge: Product) -> None:
    file_id = await upload(forge)
    request = replace(KNIGHT, reference_file_id=file_id)
    records = [await forge.generations.submit(request, "avatar", None) for _ in range(2)]
    await forge.files.delete(file_id, force=False)
    path = forge.files.locate(file_id)[1]
    await forge.generations.delete(records[0].id, keep_outputs=False)
    assert path.is_file()
    await forge.generations.delete(records[1].id, keep_outputs=False)
    assert not path.exists()


@pytest.mark.parametrize("running", [False, True])
async def test_delete_of_an_active_one_cancels_it(forge: Product, running: bool) -> None:
    record = await forge.generations.submit(KNIGHT, "avatar", None)
    if running:
        forge.host.start(record.prompt_id)
        await forge.until(record.id, "processing")
    await forge.generations.delete(record.id, keep_outputs=False)
    assert record.prompt_id not in forge.host.queue_state().waiting
    assert not forge.host.queue_state().running


async def test_pages_neither_repeat_nor_skip_while_rows_arrive(forge: Product) -> None:
    async def submit(count: int) -> list[str]:
        return [(await forge.generations.submit(KNIGHT, "avatar", None)).id for _ in range(count)]

    there = await submit(25)
    seen: list[GenerationRecord] = []
    cursor = None
    while True:
        page = await forge.generations.page(status=None, limit=7, offset=0, cursor=cursor)
        seen += page.records
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
        await submit(3)
    assert [record.id for record in seen] == there[::-1]


async def test_pages_by_offset_and_status(forge: Product) -> None:
    records = [await forge.generations.submit(KNIGHT, "avatar", None) for _ in range(5)]
    forge.host.succeed(records[2].prompt_id)
    await forge.until(records[2].id, "completed")
    page = await forge.generations.page(status=None, limit=2, offset=1, cursor=None)
    assert page.total == 5
    assert [record.id for record in page.records] == [records[3].id, records[2].id]
    done = await forge.generations.page(status="completed", limit=50, offset=0, cursor=None)
    assert (done.total, [record.id for record in done.records]) == (1, [records[2].id])
    with pytest.raises(UnprocessableError):
        await forge.generations.page(status=None, limit=2, offset=0, cursor="-1")


@pytest.mark.parametrize(
    ("roomy", "asked", "went"),
    [
        (True, None, "batch"),
        (False, None, "sequential"),
        (False, "auto", "sequential"),
        (False, "batch", "batch"),
        (True, "sequential", "sequential"),
    ],
)
async def test_a_sheet_runs_as_one_batch_where_the_card_has_room(
    forge: Product, roomy: bool, asked: str | None, went: str
) -> None:
    forge.host.roomy = roomy
    record = await forge.generations.submit(replace(KNIGHT, turnaround=asked), "all_poses", SHEET_VIEWS)
    assert record.spec.turnaround == went
    samplers = [
        node for node in forge.host.prompts[record.prompt_id].values() if node["class_type"] == "KSampler"
    ]
    assert len(samplers) == (1 if went == "batch" else 4)


async def test_a_view_without_a_pose_controlnet_says_that_words_alone_steer_it(forge: Product) -> None:
    forge.host.installed = replace(forge.host.installed, controlnets=())
    record = await forge.generations.submit(KNIGHT, "pose", ("back",))
    (warning,) = json.loads(record.receipt_json)["warnings"]
    assert warning.startswith("The view rests on words alone.")
    assert record.receipt.warnings[0].code == "no_pose_controlnet"
    assert "models/controlnet" in warning
