"""Scans the installed models and their families, reading only the headers of safetensors and GGUF files.

Loading a checkpoint would take seconds and gigabytes. A bad file, name, link or folder never stops the scan:
it is reported as skipped.
"""

from __future__ import annotations

import logging
import re
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import folder_paths
import nodes
from comfy import samplers

from ..forge.model_identity import ModelFacts, identify
from ..forge.ports import OPTIONAL_NODES, InstalledModels, ModelFile, PartFile, SkippedFile
from .control_kinds import detect_control_model, detect_patch, guess_control_model
from .encoder_kinds import detect_vae, gguf_encoder, guess_encoder, guess_vae
from .gguf_files import GGUF, read_gguf
from .model_files import SAFETENSORS, Header, UnusableModelError, check_model_file, read_header
from .model_kinds import (
    detect_checkpoint,
    detect_diffusion_model,
    detect_gguf_model,
    detect_lora_file,
    detect_text_encoder,
    guess_checkpoint,
)
from .packing import packing_of

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
    """How to classify a file: by its header and name, or by its name if the header cannot be read."""

    detect: Callable[[Header, str], ModelFacts]
    guess: Callable[[str], ModelFacts]


def _nothing(*_: object) -> ModelFacts:
    return ModelFacts()


def _vae(header: Header, name: str) -> ModelFacts:
    return ModelFacts(part=detect_vae(header.tensors, name), precision=packing_of(header))


def _gguf_encoder(header: Header, _: str) -> ModelFacts:
    return ModelFacts(part=gguf_encoder(header), precision="gguf")


_READERS = {
    "checkpoints": _Reader(lambda header, _: detect_checkpoint(header), guess_checkpoint),
    "diffusion_models": _Reader(lambda header, _: detect_diffusion_model(header), guess_checkpoint),
    "unet_gguf": _Reader(lambda header, _: detect_gguf_model(header), _nothing),
    "text_encoders": _Reader(
        lambda header, _: detect_text_encoder(header), lambda name: ModelFacts(part=guess_encoder(name))
    ),
    "clip_gguf": _Reader(_gguf_encoder, _nothing),
    "vae": _Reader(_vae, lambda name: ModelFacts(part=guess_vae(name))),
    "loras": _Reader(lambda header, _: detect_lora_file(header), guess_checkpoint),
    "controlnet": _Reader(lambda header, _: detect_control_model(header), guess_control_model),
    "model_patches": _Reader(lambda header, _: detect_patch(header), _nothing),
    # The nodes that load these decide what they are; here they only have to be complete.
    "style_models": _Reader(_nothing, _nothing),
    "ipadapter": _Reader(_nothing, _nothing),
    "clip_vision": _Reader(_nothing, _nothing),
}
#: Folders of the GGUF pack, which lie over others and also list their other files.
_GGUF_FOLDERS = ("unet_gguf", "clip_gguf")


@dataclass(frozen=True)
class _Scanned:
    """A file with a valid name, and what it is."""

    model: ModelFile
    facts: ModelFacts

    @property
    def part(self) -> PartFile:
        model, facts = self.model, self.facts
        return PartFile(model.name, facts.part, model.folder, facts.problem, facts.precision)


class ModelScanner:
    """Caches what it read by path, size and modification time. Blocks: call it in a thread."""

    def __init__(self) -> None:
        self._cache: dict[tuple[str, Path], tuple[_Signature, _Scanned]] = {}
        self._lock = threading.Lock()

    def scan(self) -> InstalledModels:
        with self._lock:
            skipped: list[SkippedFile] = []
            found = {folder: list(self._scan(folder, skipped)) for folder in _READERS}
            checkpoints = found["checkpoints"]
            return InstalledModels(
                checkpoints=tuple(one.model for one in checkpoints if not one.facts.sdpose),
                controlnets=_models(found["controlnet"]),
                samplers=tuple(samplers.KSampler.SAMPLERS),
                schedulers=tuple(samplers.KSampler.SCHEDULERS),
                nodes=OPTIONAL_NODES & nodes.NODE_CLASS_MAPPINGS.keys(),
                ipadapters=_usable(found["ipadapter"]),
                clip_visions=_usable(found["clip_vision"]),
                sdpose=tuple(one.model.name for one in checkpoints if one.facts.sdpose),
                skipped=tuple(skipped),
                embeddings=_embeddings(),
                diffusion_models=_models(found["diffusion_models"] + found["unet_gguf"]),
                text_encoders=_parts(found["text_encoders"] + found["clip_gguf"]),
                vaes=_parts(found["vae"]),
                loras=_models(found["loras"]),
                model_patches=_models(found["model_patches"]),
                style_models=_usable(found["style_models"]),
            )

    def _scan(self, folder: str, skipped: list[SkippedFile]) -> Iterator[_Scanned]:
        """Yield the files of a folder with valid names and what they are; adds unusable files to
        `skipped`."""
        for name in _list_names(folder, skipped):
            if folder in _GGUF_FOLDERS and not name.lower().endswith(GGUF):
                continue
            unusable = _problem_of_name(name)
            if unusable is not None:
                skipped.append(SkippedFile(folder, _printable(name), unusable))
                continue
            scanned = self._read(folder, name)
            if scanned.facts.problem is not None:
                skipped.append(SkippedFile(folder, name, scanned.facts.problem))
            yield scanned

    def _read(self, folder: str, name: str) -> _Scanned:
        try:
            path, signature = _locate(folder, name)
            cached = self._cache.get((folder, path))
            if cached is None or cached[0] != signature or cached[1].model.name != name:
                facts = _read_facts(path, name, _READERS[folder])
                cached = (signature, _Scanned(identify(folder, name, facts, signature[0]), facts))
                self._cache[(folder, path)] = cached
            return cached[1]
        except UnusableModelError as error:
            facts = ModelFacts(problem=str(error))
        except OSError as error:
            # Not cached: with a lock, a permission or a sleeping network drive, the next scan may succeed.
            facts = ModelFacts(problem=f"cannot be read ({_reason(error)})")
        except Exception as error:  # one bad file must not hide the others
            log.warning("AvatarForge: a model in %s could not be inspected", folder, exc_info=True)
            facts = ModelFacts(problem=f"cannot be looked at ({type(error).__name__})")
        return _Scanned(identify(folder, name, facts, 0), facts)


def _models(scanned: Sequence[_Scanned]) -> tuple[ModelFile, ...]:
    return tuple(one.model for one in scanned)


def _parts(scanned: Sequence[_Scanned]) -> tuple[PartFile, ...]:
    return tuple(one.part for one in scanned)


def _usable(scanned: Sequence[_Scanned]) -> tuple[str, ...]:
    return tuple(one.model.name for one in scanned if not one.facts.problem)


def _list_names(folder: str, skipped: list[SkippedFile]) -> list[str]:
    # Some folders are registered only by their packs.
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
            return reader.detect(read_header(path), name)
        if path.suffix.lower() == GGUF:
            return reader.detect(read_gguf(path, tensors=reader is not _READERS["clip_gguf"]), name)
        check_model_file(path)
        return reader.guess(name)
    except UnusableModelError as error:
        return ModelFacts(problem=str(error))


def _reason(error: OSError) -> str:
    # Not the error itself, which contains the path.
    return error.strerror or type(error).__name__
