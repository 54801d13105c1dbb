"""`dev.py` as an operator runs it, in this process: starting another Python takes seconds."""

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
class Ran:
    code: int
    out: str
    err: str


Command = Callable[..., Ran]


def load_dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: object) -> Ran:
        code = load_dev().main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


async def make(forge: Product, file_id: str | None = None) -> str:
    """A finished generation of one picture; its id."""
    made = await forge.generations.submit(
        AvatarRequest("a knight", reference_file_id=file_id), "avatar", ("front",)
    )
    forge.host.succeed(made.id)
    await forge.until(made.id, "completed")
    return made.id
