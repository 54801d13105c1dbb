"""After a soak run: checks that everything accepted exists exactly once, and nothing else does."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from .server import ComfyServer
from .soak_clients import Http, Ledger, png

PAGE_SIZE = 100


def verify(server: ComfyServer, ledger: Ledger) -> tuple[list[str], str]:
    """Compare a running ComfyUI with the ledger, while no generation is queued or processing.

    Returns the faults, one line each, and a summary.
    """
    http = Http(server.port, ledger)
    listed = _list_generations(http)
    faults = [*ledger.surprises]
    faults += _check_generations(server, http, ledger, listed)
    faults += _check_uploads(http, ledger)
    faults += _find_leftovers(server.base)
    faults += _fsck_over_http(http)
    faults += [f"in the log: {line}" for line in _log_errors(server)]
    outcomes = Counter(
        f"{generation['status']}: {generation['error']}" if generation["error"] else generation["status"]
        for generation in listed
    )
    summary = [
        f"{ledger.responses} responses, {ledger.unanswered} requests without one",
        f"{len(ledger.uploads)} uploads accepted, {len(ledger.uploads_deleted)} deleted",
        f"{len(ledger.generations)} generations accepted, {len(ledger.generations_deleted)} deleted",
        *(f"  {count} x {outcome}" for outcome, count in outcomes.most_common()),
    ]
    return faults, "\n".join(summary)


def fsck_offline(root: Path, server: ComfyServer) -> list[str]:
    """Run `dev.py fsck` while ComfyUI is stopped. Returns its findings."""
    data, output = server.base / "user" / "__avatarforge", server.base / "output" / "avatarforge"
    command: list[str | Path] = [server.comfyui.python, root / "dev.py", "fsck", "--data-folder", data]
    command += ["--output-folder", output, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if result.returncode == 0 else [f"fsck: {(result.stdout or result.stderr)[:2000]}"]


def has_fsck(http: Http) -> bool:
    """Whether this version of the pack has fsck."""
    return http.request("POST", "/maintenance/verify?repair=false")[0] != 404


def no_reroll_waits(http: Http) -> bool:
    """Whether no generation has re-rolls that wait: between two of them it is completed."""
    return not any(generation["waiting_rerolls"] for generation in _list_generations(http))


def _list_generations(http: Http) -> list[dict[str, Any]]:
    generations: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = http.call("GET", f"/generations?limit={PAGE_SIZE}{cursor}")
        if page is None:
            return generations
        generations += page["generations"]
        if page["next_cursor"] is None:
            return generations
        cursor = f"&cursor={page['next_cursor']}"


def _check_generations(
    server: ComfyServer, http: Http, ledger: Ledger, listed: list[dict[str, Any]]
) -> list[str]:
    by_id = {generation["generation_id"]: generation for generation in listed}
    faults = []
    if len(by_id) != len(listed):
        faults.append("a generation is listed twice")
    for generation_id in sorted(set(ledger.generations) - ledger.generation_deletes - set(by_id)):
        faults.append(f"generation {generation_id} was accepted and is gone")
    for generation_id in sorted(ledger.generations_deleted & set(by_id)):
        faults.append(f"generation {generation_id} was deleted and came back")
    output = server.base / "output" / "avatarforge"
    folders = {path.name for path in output.iterdir()} if output.is_dir() else set()
    for name in sorted(folders - set(by_id)):
        faults.append(f"the pictures of {name} have no generation: {sorted(_names(output / name))}")
    for generation_id, generation in by_id.items():
        faults += [
            f"generation {generation_id}: {fault}"
            for fault in _check_generation(generation, ledger, output, http)
        ]
    return faults


def _check_generation(generation: dict[str, Any], ledger: Ledger, output: Path, http: Http) -> list[str]:
    faults = []
    if generation["status"] not in ("completed", "failed") or generation["kind"] == "graph":
        faults.append(f"is {generation['status']}, kind {generation['kind']}")
    if (generation["status"] == "failed") != bool(generation["error"]):
        faults.append(f"is {generation['status']} with the error {generation['error']!r}")
    expected = ledger.generations.get(generation["generation_id"])
    if generation["status"] == "completed" and expected not in (None, len(generation["output_files"])):
        faults.append(f"has {len(generation['output_files'])} pictures of {expected}")
    files = [*generation["output_files"], *_other_takes(generation, http)]
    reported = {file["filename"] for file in files}
    on_disk = _names(output / generation["generation_id"])
    if reported != on_disk:
        faults.append(f"reports the files {sorted(reported)}, but the disk has {sorted(on_disk)}")
    for file in files:
        status, content, etag = http.request("GET", file["url"])
        if status != 200 or len(content) != file["size"] or hashlib.sha256(content).hexdigest() not in etag:
            faults.append(f"{file['filename']}: {status}, {len(content)} bytes of {file['size']}, {etag}")
    return faults


def _other_takes(generation: dict[str, Any], http: Http) -> list[dict[str, Any]]:
    """The takes of its pictures that are not current."""
    found = []
    for number, file in enumerate(generation["output_files"], 1):
        if file["takes"] > 1:
            listed = http.call("GET", f"/generations/{generation['generation_id']}/views/{number}/takes")
            found += [take for take in (listed or {"takes": ()})["takes"] if not take["current"]]
    return found


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _check_uploads(http: Http, ledger: Ledger) -> list[str]:
    faults = []
    for file_id, (seed, side) in ledger.uploads.items():
        if file_id in ledger.upload_deletes and file_id not in ledger.uploads_deleted:
            continue  # a delete without a response: the file may exist or not
        status, content, _ = http.request("GET", f"/files/{file_id}")
        if file_id in ledger.uploads_deleted:
            if status != 404:
                faults.append(f"file {file_id} was deleted and answers {status}")
        elif status != 200 or content != png(seed, side):
            faults.append(f"file {file_id} was accepted and answers {status}, {len(content)} bytes")
    return faults


def _find_leftovers(base: Path) -> list[str]:
    folders = (base / "user" / "__avatarforge", base / "output" / "avatarforge")
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [
        f"left over: {path.relative_to(base)}"
        for path in found
        if path.suffix in (".part", ".tmp", ".unsettled") or path.parent.name == "incoming"
    ]


def _fsck_over_http(http: Http) -> list[str]:
    status, content, _ = http.request("POST", "/maintenance/verify?repair=false")
    if status == 404:
        return []
    if status != 200 or not json.loads(content)["clean"]:
        return [f"fsck over HTTP: {status} {content[:2000]!r}"]
    return []


def _log_errors(server: ComfyServer) -> list[str]:
    """Lines of the log, from all starts, with errors that a kill does not explain."""
    text = server.log_path.read_text(encoding="utf-8", errors="replace")
    patterns = ("AvatarForge: unexpected error", "could not be written", "database failed")
    return [line[:300] for line in text.splitlines() if any(pattern in line for pattern in patterns)]
