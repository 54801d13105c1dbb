"""What writes to the disk through `Disk`, each seen from the outside."""

from __future__ import annotations

from pathlib import Path

from pictures import picture

from avatarforge.forge.access.secret import signing_secret
from avatarforge.forge.generations.outputs import OutputFolder
from avatarforge.forge.store.blobs import BlobStore, write_whole
from avatarforge.forge.store.disk import Disk


def put_blob(folder: Path, disk: Disk) -> None:
    blobs = BlobStore(folder / "storage", disk)
    blobs.make_folders()
    incoming = blobs.begin()
    content_hash = incoming.finish(picture())
    try:
        blobs.put(incoming, content_hash, "png")
    finally:
        incoming.discard()
    assert blobs.intact(content_hash, "png")


def save_picture(folder: Path, disk: Disk) -> None:
    saved = OutputFolder(folder, disk=disk).write("one", 0, lambda file: file.write(picture()))
    assert saved.read_bytes() == picture()


def write_file(folder: Path, disk: Disk) -> None:
    write_whole(folder / "file", lambda file: file.write(b"x"), disk)
    assert (folder / "file").read_bytes() == b"x"


def move_to_quarantine(folder: Path, disk: Disk) -> None:
    blobs = BlobStore(folder / "storage", disk)
    (folder / "altered").write_bytes(b"x")
    name = blobs.quarantine(folder / "altered")
    assert (blobs.quarantined / name).read_bytes() == b"x"


def make_secret(folder: Path, disk: Disk) -> None:
    assert signing_secret("", folder, disk) == signing_secret("", folder, disk)
