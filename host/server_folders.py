"""Folders of this server, whose paths must not reach clients."""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import folder_paths


def server_folders() -> tuple[str, ...]:
    """Folders of ComfyUI, Python and the user, each as configured and with links resolved. Blocks: it
    accesses the file system."""
    folders = {folder for folder in _configured() if folder}
    folders |= {os.path.realpath(folder) for folder in folders}
    return tuple(sorted(folders))


def _configured() -> Iterator[str]:
    yield str(folder_paths.base_path)
    yield from map(str, (folder_paths.models_dir, folder_paths.get_user_directory()))
    yield folder_paths.get_output_directory()
    yield folder_paths.get_input_directory()
    yield folder_paths.get_temp_directory()
    for entry in folder_paths.folder_names_and_paths.values():
        yield from map(str, entry[0])
    yield from (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    yield from (sysconfig.get_path(name) or "" for name in ("stdlib", "purelib"))
    yield str(Path(folder_paths.__file__).parent)  # ComfyUI's code, which may be outside of --base-directory
    yield os.path.expanduser("~")  # noqa: PTH111 - Path.home raises if there is none
    yield tempfile.gettempdir()
    yield os.getcwd()  # noqa: PTH109 - a string, like the others
