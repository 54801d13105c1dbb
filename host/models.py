"""Scans the installed models and their families, reading only the headers of safetensors files.

Loading a checkpoint would take seconds and gigabytes. A bad file, name, link or folder never stops the scan:
it is reported as skipped.
"""

from __future__ import annotations

import logging
import re
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import folder_paths
import nodes
from comfy import samplers

from ..forge.ports import OPTIONAL_NODES, InstalledModels, ModelFile, SkippedFile
from .model_files import SAFETENSORS, UnusableModelError, check_model_file, read_shapes
from .model_kinds import (
    ModelFacts,
    Shapes,
    detect_checkpoint,
    detect_control_model,
    guess_checkpoint,
    guess_control_model,
)

MAX_NAME_LENGTH = 512  # characters: the limit for a checkpoint's name in requests and settings
# The characters that requests refuse too: control characters, and lone surrogates, which stand for
# undecodable bytes (PEP 383) and which neither JSON nor SQLite can store.
_UNUSABLE_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BAD_NAME = "has a name that is no valid text or holds control characters: rename it"
_LONG_NAME = f"has a name of more than {MAX_NAME_LENGTH} characters with its folders: rename it"

_Signature = tuple[int, int]

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Reader:
    """How to classify a file: by its tensors, or by its name if the tensors cannot be read."""

    detect: Callable[[Shapes], ModelFacts]
    guess: Callable[[str], ModelFacts]


_READERS = {
    "checkpoints": _Reader(detect_checkpoint, guess_checkpoint),
    "controlnet": _Reader(detect_control_model, guess_control_model),
    # The nodes that load these decide what they are; here they only have to be complete.
    "ipadapter": _Reader(lambda _: ModelFacts(), lambda _: ModelFacts()),
    "clip_vision": _Reader(lambda _: ModelFacts(), lambda _: ModelFacts()),
}


class ModelScanner:
    """Caches what it read by path, size and modification time. Blocks: call it in a thread."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, Path], tuple[_Signature, ModelFacts]] = {}
        self._lock = threading.Lock()

    def scan(self) -> InstalledModels:
        with self._lock:
            skipped: list[SkippedFile] = []
            scanned = {folder: list(self._scan(folder, skipped)) for folder in _READERS}
            return InstalledModels(
                checkpoints=tuple(
                    _model_file(name, facts) for name, facts in scanned["checkpoints"] if not facts.sdpose
                ),
                controlnets=tuple(_model_file(name, facts) for name, facts in scanned["controlnet"]),
                samplers=tuple(samplers.KSampler.SAMPLERS),
                schedulers=tuple(samplers.KSampler.SCHEDULERS),
                nodes=OPTIONAL_NODES & nodes.NODE_CLASS_MAPPINGS.keys(),
                ipadapters=tuple(name for name, facts in scanned["ipadapter"] if not facts.problem),
                clip_visions=tuple(name for name, facts in scanned["clip_vision"] if not facts.problem),
                sdpose=tuple(name for name, facts in scanned["checkpoints"] if facts.sdpose),
                skipped=tuple(skipped),
                embeddings=_embeddings(),
            )

    def _scan(self, folder: str, skipped: list[SkippedFile]) -> Iterator[tuple[str, ModelFacts]]:
        """Yield the files of a folder with valid names and what they are; adds unusable files to
        `skipped`."""
        for name in _list_names(folder, skipped):
            unusable = _problem_of_name(name)
            if unusable is not None:
                skipped.append(SkippedFile(folder, _printable(name), unusable))
                continue
            facts = self._facts(folder, name)
            if facts.problem is not None:
                skipped.append(SkippedFile(folder, name, facts.problem))
            yield name, facts

    def _facts(self, folder: str, name: str) -> ModelFacts:
        try:
            path, signature = _locate(folder, name)
            cached = self._cache.get((folder, path))
            if cached is None or cached[0] != signature:
                cached = (signature, _read_facts(path, name, _READERS[folder]))
                self._cache[(folder, path)] = cached
            return cached[1]
        except UnusableModelError as error:
            return ModelFacts(problem=str(error))
        except OSError as error:
            # Not cached: with a lock, a permission or a sleeping network drive, the next scan may succeed.
            return ModelFacts(problem=f"cannot be read ({_reason(error)})")
        except Exception as error:  # one bad file must not hide the others
            log.warning("AvatarForge: a model in %s could not be inspected", folder, exc_info=True)
            return ModelFacts(problem=f"cannot be looked at ({type(error).__name__})")


def _model_file(name: str, facts: ModelFacts) -> ModelFile:
    return ModelFile(
        name,
        facts.family,
        facts.union,
        guessed=facts.guessed,
        special=facts.special,
        kind=facts.kind,
        problem=facts.problem,
    )


def _list_names(folder: str, skipped: list[SkippedFile]) -> list[str]:
    # The folder "ipadapter" is registered only by its own pack.
    if folder not in folder_paths.folder_names_and_paths:
        return []
    try:
        try:
            return list(folder_paths.get_filename_list(folder))
        except OSError:
            # ComfyUI caches the subfolders, and fails on every call after one of them was removed.
            folder_paths.filename_list_cache.pop(folder, None)
            return list(folder_paths.get_filename_list(folder))
    except OSError as error:
        skipped.append(SkippedFile(folder, None, f"cannot be listed ({_reason(error)})"))
    except Exception as error:  # other packs can register folders in unexpected ways
        log.warning("AvatarForge: the models in %s could not be listed", folder, exc_info=True)
        skipped.append(SkippedFile(folder, None, f"cannot be listed ({type(error).__name__})"))
    return []


def _embeddings() -> tuple[str, ...] | None:
    unreadable: list[SkippedFile] = []
    names = _list_names("embeddings", unreadable)
    return None if unreadable else tuple(names)


def _problem_of_name(name: str) -> str | None:
    if _UNUSABLE_CHARACTERS.search(name):
        return _BAD_NAME
    return _LONG_NAME if len(name) > MAX_NAME_LENGTH else None


def _printable(name: str) -> str:
    """The name with unprintable characters escaped: "caf\\xe9.safetensors"."""
    shown = name.encode("unicode_escape").decode("ascii") if _UNUSABLE_CHARACTERS.search(name) else name
    # PEP 383 decodes the byte 0xe9 as U+DCE9.
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", shown)[:MAX_NAME_LENGTH]


def _locate(folder: str, name: str) -> tuple[Path, _Signature]:
    """Path and signature of the file that ComfyUI's loaders would open. Raises UnusableModelError,
    OSError."""
    problem: OSError | UnusableModelError | None = None
    for base in folder_paths.get_folder_paths(folder):
        path = Path(base) / name
        try:
            status = path.stat()
        except FileNotFoundError:
            if path.is_symlink():
                problem = UnusableModelError("is a link to a file that does not exist")
        except OSError as error:
            problem = error
        else:
            if stat.S_ISREG(status.st_mode):
                return path, (status.st_size, status.st_mtime_ns)
            problem = UnusableModelError("is not a regular file")
    raise problem or UnusableModelError("was removed during the scan")


def _read_facts(path: Path, name: str, reader: _Reader) -> ModelFacts:
    """Classify the file. Raises OSError if it could not be read, which must not be cached."""
    try:
        if path.suffix.lower() in SAFETENSORS:
            return reader.detect(read_shapes(path))
        check_model_file(path)
        return reader.guess(name)
    except UnusableModelError as error:
        return ModelFacts(problem=str(error))


def _reason(error: OSError) -> str:
    # Not the error itself, which contains the path.
    return error.strerror or type(error).__name__
