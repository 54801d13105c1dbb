"""After a soak: is everything there that was promised, once, and nothing else?"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from .server import ComfyServer
from .soak_clients import Http, Ledger, png

PAGE = 100


def verify(server: ComfyServer, ledger: Ledger) -> tuple[list[str], str]:
    """(what is wrong, one line each; a summary). ComfyUI runs, and nothing is queued or processing."""
    http = Http(server.port, ledger)
    listed = _everything(http)
    wrong = [*ledger.surprises]
    wrong += _generations(server, http, ledger, listed)
    wrong += _uploads(http, ledger)
    wrong += _leftovers(server.base)
    wrong += _fsck_over_http(http)
    wrong += [f"in the log: {line}" for line in _complaints(server)]
    ends = Counter(f"{one['status']}: {one['error']}" if one["error"] else one["status"] for one in listed)
    told = [
        f"{ledger.answers} answers, {ledger.unanswered} requests without one",
        f"{len(ledger.uploads)} uploads accepted, {len(ledger.uploads_deleted)} deleted",
        f"{len(ledger.generations)} generations accepted, {len(ledger.generations_deleted)} deleted",
        *(f"  {count} x {end}" for end, count in ends.most_common()),
    ]
    return wrong, "\n".join(told)


def fsck_offline(root: Path, server: ComfyServer) -> list[str]:
    """What `dev.py fsck` finds while ComfyUI is stopped."""
    data, output = server.base / "user" / "__avatarforge", server.base / "output" / "avatarforge"
    command: list[str | Path] = [server.comfyui.python, root / "dev.py", "fsck", "--data-folder", data]
    command += ["--output-folder", output, "--json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if answer.returncode == 0 else [f"fsck: {(answer.stdout or answer.stderr)[:2000]}"]


def has_fsck(http: Http) -> bool:
    """Whether this pack has a check of its own."""
    return http.ask("POST", "/maintenance/verify?repair=false")[0] != 404


def _everything(http: Http) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = http.tell("GET", f"/generations?limit={PAGE}{cursor}")
        if page is None:
            return found
        found += page["generations"]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def _generations(server: ComfyServer, http: Http, ledger: Ledger, listed: list[dict[str, Any]]) -> list[str]:
    there = {one["generation_id"]: one for one in listed}
    wrong = []
    if len(there) != len(listed):
        wrong.append("a generation stands in the list twice")
    for generation_id in sorted(set(ledger.generations) - ledger.generations_asked - set(there)):
        wrong.append(f"generation {generation_id} was accepted and is gone")
    for generation_id in sorted(ledger.generations_deleted & set(there)):
        wrong.append(f"generation {generation_id} was deleted and came back")
    output = server.base / "output" / "avatarforge"
    folders = {path.name for path in output.iterdir()} if output.is_dir() else set()
    for name in sorted(folders - set(there)):
        wrong.append(f"the pictures of {name} have no generation: {sorted(_names(output / name))}")
    for generation_id, one in there.items():
        wrong += [f"generation {generation_id}: {fault}" for fault in _faults(one, ledger, output, http)]
    return wrong


def _faults(one: dict[str, Any], ledger: Ledger, output: Path, http: Http) -> list[str]:
    wrong = []
    if one["status"] not in ("completed", "failed") or one["kind"] == "graph":
        wrong.append(f"is {one['status']}, kind {one['kind']}")
    if (one["status"] == "failed") != bool(one["error"]):
        wrong.append(f"is {one['status']} with the error {one['error']!r}")
    expected = ledger.generations.get(one["generation_id"])
    if one["status"] == "completed" and expected not in (None, len(one["output_files"])):
        wrong.append(f"has {len(one['output_files'])} pictures of {expected}")
    told = {file["filename"] for file in one["output_files"]}
    lying = _names(output / one["generation_id"])
    if told != lying:
        wrong.append(f"tells of {sorted(told)}, and {sorted(lying)} lie there")
    for file in one["output_files"]:
        status, content, tag = http.ask("GET", file["url"])
        if status != 200 or len(content) != file["size"] or hashlib.sha256(content).hexdigest() not in tag:
            wrong.append(f"{file['filename']}: {status}, {len(content)} bytes of {file['size']}, {tag}")
    return wrong


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _uploads(http: Http, ledger: Ledger) -> list[str]:
    wrong = []
    for file_id, (seed, side) in ledger.uploads.items():
        if file_id in ledger.uploads_asked and file_id not in ledger.uploads_deleted:
            continue  # nobody knows whether that delete arrived
        status, content, _ = http.ask("GET", f"/files/{file_id}")
        if file_id in ledger.uploads_deleted:
            if status != 404:
                wrong.append(f"file {file_id} was deleted and answers {status}")
        elif status != 200 or content != png(seed, side):
            wrong.append(f"file {file_id} was accepted and answers {status}, {len(content)} bytes")
    return wrong


def _leftovers(base: Path) -> list[str]:
    places = (base / "user" / "__avatarforge", base / "output" / "avatarforge")
    found = [path for place in places for path in place.rglob("*") if path.is_file()]
    return [
        f"left over: {path.relative_to(base)}"
        for path in found
        if path.suffix in (".part", ".tmp", ".unsettled") or path.parent.name == "incoming"
    ]


def _fsck_over_http(http: Http) -> list[str]:
    status, content, _ = http.ask("POST", "/maintenance/verify?repair=false")
    if status == 404:
        return []
    if status != 200 or not json.loads(content)["clean"]:
        return [f"fsck over HTTP: {status} {content[:2000]!r}"]
    return []


def _complaints(server: ComfyServer) -> list[str]:
    """Lines of the log, of all starts, that a kill does not explain."""
    text = server.log_path.read_text(encoding="utf-8", errors="replace")
    signs = ("AvatarForge: unexpected error", "could not be written", "database failed")
    return [line[:300] for line in text.splitlines() if any(sign in line for sign in signs)]
