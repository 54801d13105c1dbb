"""Helpers for browser tests of the pose library and the pose editor."""

from __future__ import annotations

import secrets
from typing import Any

from playwright.sync_api import Locator, Page, expect

from lab.api import Api

HANDLE = ".avatarforge-pose-handle"


def library(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Pose library")


def editor(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Edit pose")


def pose_tile(page: Page, name: str) -> Locator:
    return library(page).get_by_role("button", name=name, exact=True)


def handle(page: Page, joint: int | str) -> Locator:
    """A joint by its number, or a hand by its name."""
    return editor(page).locator(f'{HANDLE}[data-handle="{joint}"]')


def place(page: Page, joint: int | str) -> tuple[float, float]:
    """Where a handle is, in pixels of the pose."""
    x, y = (handle(page, joint).get_attribute(name) for name in ("cx", "cy"))
    return float(x or "nan"), float(y or "nan")


def middle(page: Page, joint: int | str) -> tuple[float, float]:
    """Where a handle is in the window."""
    box = handle(page, joint).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, joint: int | str, right: float, down: float) -> None:
    """Drag a handle with the mouse by so many CSS pixels."""
    x, y = middle(page, joint)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right / 2, y + down / 2)
    page.mouse.move(x + right, y + down)
    page.mouse.up()


def save_as(page: Page, name: str) -> None:
    """Save what the editor has, and wait until it is closed."""
    editor(page).get_by_label("Name").fill(name)
    editor(page).get_by_role("button", name="Save").click()
    expect(editor(page)).to_have_count(0)


def pose_name() -> str:
    """A name that no other pose has."""
    return f"Pose {secrets.token_hex(4)}"


def saved_pose(api: Api, name: str, pose: Any) -> dict[str, Any]:
    """A new pose of the library."""
    answer = api.post("/poses/library", json={"name": name, "pose": pose})
    assert answer.status_code == 200, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


def body_of(api: Api, reference: str) -> list[tuple[float, float] | None]:
    """The 18 joints of a pose of the library, as the API has them."""
    person = api.get(f"/poses/library/{reference}").json()["pose"]["people"][0]
    numbers = person["pose_keypoints_2d"]
    return [(numbers[at], numbers[at + 1]) if numbers[at + 2] else None for at in range(0, len(numbers), 3)]
