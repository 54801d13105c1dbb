"""Which models are installed, and of which family, read from safetensors headers alone.

Loading a checkpoint to look at it would take seconds and gigabytes. Whatever one file, name, link or folder
does, the scan goes on with the rest and says what it skipped.
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

MAX_NAME_LENGTH = 512  # characters, what a request and a setting may send as the name of a checkpoint
# The same characters as in requests: controls, and halves of characters, which stand for bytes that are no
# text (PEP 383). Neither JSON nor SQLite can hold the latter.
_UNUSABLE_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BAD_NAME = "has a name that is no valid text or holds control characters: rename it"
_LONG_NAME = f"has a name of more than {MAX_NAME_LENGTH} characters with its folders: rename it"

_Signature = tuple[int, int]

log = logging.getLogger("avatarforge")


@dataclass(frozen=True)
class _Reader:
    """How to learn what a file is: from its tensors, and from its name where that is all there is."""

    detect: Callable[[Shapes], ModelFacts]
    guess: Callable[[str], ModelFacts]


_READERS = {
    "checkpoints": _Reader(detect_checkpoint, guess_checkpoint),
    "controlnet": _Reader(detect_control_model, guess_control_model),
    # What these files are is left to the nodes that load them; here they only have to be whole.
    "ipadapter": _Reader(lambda _: ModelFacts(), lambda _: ModelFacts()),
    "clip_vision": _Reader(lambda _: ModelFacts(), lambda _: ModelFacts()),
}


class ModelScanner:
    """Answers from a cache keyed by path, size and time of change. Blocking: call it in a thread."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Path], tuple[_Signature, ModelFacts]] = {}
        self._lock = threading.Lock()

    def scan(self) -> InstalledModels:
        with self._lock:
            skipped: list[SkippedFile] = []
            found = {folder: list(self._scan(folder, skipped)) for folder in _READERS}
            return InstalledModels(
                checkpoints=tuple(
                    _model_file(name, facts) for name, facts in found["checkpoints"] if not facts.sdpose
                ),
                controlnets=tuple(_model_file(name, facts) for name, facts in found["controlnet"]),
                samplers=tuple(samplers.KSampler.SAMPLERS),
                schedulers=tuple(samplers.KSampler.SCHEDULERS),
                nodes=OPTIONAL_NODES & nodes.NODE_CLASS_MAPPINGS.keys(),
                ipadapters=tuple(name for name, facts in found["ipadapter"] if not facts.problem),
                clip_visions=tuple(name for name, facts in found["clip_vision"] if not facts.problem),
                sdpose=tuple(name for name, facts in found["checkpoints"] if facts.sdpose),
                skipped=tuple(skipped),
                embeddings=_embeddings(),
            )

    def _scan(self, folder: str, skipped: list[SkippedFile]) -> Iterator[tuple[str, ModelFacts]]:
        """The files of a folder that can be named, with what they are; notes those that cannot be used."""
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
            known = self._known.get((folder, path))
            if known is None or known[0] != signature:
                known = (signature, _look(path, name, _READERS[folder]))
                self._known[(folder, path)] = known
            return known[1]
        except UnusableModelError as error:
            return ModelFacts(problem=str(error))
        except OSError as error:
            # A lock, a permission, a network drive that sleeps: the next scan may be able to read it.
            return ModelFacts(problem=f"cannot be read ({_words_of(error)})")
        except Exception as error:  # whatever one file does, the others are still listed
            log.warning("AvatarForge: a model in %s could not be looked at", folder, exc_info=True)
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
    # "ipadapter" is a folder that only its pack makes known.
    if folder not in folder_paths.folder_names_and_paths:
        return []
    try:
        try:
            return list(folder_paths.get_filename_list(folder))
        except OSError:
            # ComfyUI remembers the subfolders and fails on one that has gone, each time that it is asked.
            folder_paths.filename_list_cache.pop(folder, None)
            return list(folder_paths.get_filename_list(folder))
    except OSError as error:
        skipped.append(SkippedFile(folder, None, f"cannot be listed ({_words_of(error)})"))
    except Exception as error:  # other packs register folders, in ways that we cannot know
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
    """The name with what cannot be shown as escapes: "caf\\xe9.safetensors"."""
    shown = name.encode("unicode_escape").decode("ascii") if _UNUSABLE_CHARACTERS.search(name) else name
    # PEP 383 keeps the byte 0xe9 as U+DCE9.
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", shown)[:MAX_NAME_LENGTH]


def _locate(folder: str, name: str) -> tuple[Path, _Signature]:
    """The file that ComfyUI's loaders would open under this name. Raises UnusableModelError, OSError."""
    problem: OSError | UnusableModelError | None = None
    for base in folder_paths.get_folder_paths(folder):
        path = Path(base) / name
        try:
            found = path.stat()
        except FileNotFoundError:
            if path.is_symlink():
                problem = UnusableModelError("is a link to a file that does not exist")
        except OSError as error:
            problem = error
        else:
            if stat.S_ISREG(found.st_mode):
                return path, (found.st_size, found.st_mtime_ns)
            problem = UnusableModelError("is not a regular file")
    raise problem or UnusableModelError("was removed during the scan")


def _look(path: Path, name: str, reader: _Reader) -> ModelFacts:
    """What the file is. Raises OSError where it could not be read, which says nothing about the file."""
    try:
        if path.suffix.lower() in SAFETENSORS:
            return reader.detect(read_shapes(path))
        check_model_file(path)
        return reader.guess(name)
    except UnusableModelError as error:
        return ModelFacts(problem=str(error))


def _words_of(error: OSError) -> str:
    # Never the error itself: it names the path.
    return error.strerror or type(error).__name__
