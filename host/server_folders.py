"""The folders of this server that no text may carry to a client."""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import folder_paths


def server_folders() -> tuple[str, ...]:
    """ComfyUI's folders, Python's and the user's, each as it is written and as links resolve. Blocking: it
    asks the file system."""
    found = {folder for folder in _written() if folder}
    found |= {os.path.realpath(folder) for folder in found}
    return tuple(sorted(found))


def _written() -> Iterator[str]:
    yield str(folder_paths.base_path)
    yield from map(str, (folder_paths.models_dir, folder_paths.get_user_directory()))
    yield folder_paths.get_output_directory()
    yield folder_paths.get_input_directory()
    yield folder_paths.get_temp_directory()
    for entry in folder_paths.folder_names_and_paths.values():
        yield from map(str, entry[0])
    yield from (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    yield from (sysconfig.get_path(name) or "" for name in ("stdlib", "purelib"))
    yield str(Path(folder_paths.__file__).parent)  # ComfyUI's code; --base-directory may lie elsewhere
    yield os.path.expanduser("~")  # noqa: PTH111 - Path.home raises where there is none
    yield tempfile.gettempdir()
    yield os.getcwd()  # noqa: PTH109 - a text, as the others
