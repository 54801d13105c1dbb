"""Runs `dev.py` as an operator would, but in this process, because starting another Python takes seconds."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from services import Product

from avatarforge.forge.spec.request import AvatarRequest

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class CommandResult:
    code: int
    out: str
    err: str


Command = Callable[..., CommandResult]


def load_dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: object) -> CommandResult:
        code = load_dev().main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return CommandResult(code, captured.out, captured.err)

    return run


async def make(forge: Product, file_id: str | None = None) -> str:
    """Make a completed generation with one picture. Returns its id."""
    record = await forge.generations.submit(
        AvatarRequest("a knight", reference_file_id=file_id), "avatar", ("front",)
    )
    forge.host.succeed(record.id)
    await forge.until(record.id, "completed")
    return record.id
