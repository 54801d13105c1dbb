"""The code of the seed document, run as it is written against a real ComfyUI with the pack in it.

Only the base URL is another: ``http://localhost:8000`` becomes the tested server, and what the document
abbreviates to ``/generate/avatar`` is looked for under the API's prefix.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from pictures import picture
from seed_blocks import (
    COMPLETED_ANSWER,
    DOCUMENT,
    GENERATE_ANSWER,
    GENERATE_BODY,
    HASH_ANSWER,
    HEALTH_ANSWER,
    LIST_ANSWER,
    UPLOAD_ANSWER,
    Block,
    seed_block,
    seed_blocks,
)
from seed_folder import make_seed_folder

from lab.api import PREFIX, Api
from lab.server import ComfyServer, free_port

SEED_SERVER = "http://localhost:8000"
DOCUMENT_SHA256 = "29d397c1be1e74c493dcec91e440d2607155f95be4471f1e0b6da31613cc4607"
VIEWS = ["front", "back", "side", "quarter"]

BASIC_USAGE = seed_block("python", "2. Basic Usage")
HASH_EXAMPLE = seed_block("python", "Check File Hash")
POLLING = seed_block("python", "Get Generation Status")
SIMPLE = seed_block("python", "Workflow 1: Simple Text-to-Avatar")
WITH_POSE = seed_block("python", "Workflow 2: Avatar with Pose Reference")
REUSE = seed_block("python", "Workflow 3: Reuse Existing File (Deduplication)")
ALL_POSES = seed_block("python", "Workflow 4: Generate All Poses for Character Sheet")
ERROR_HANDLING = seed_block("python", "3. Error Handling")
VARIABLES = seed_block("bash", "Environment Variables")
CURL = seed_block("bash", "Manual Testing with cURL")

USED = {
    BASIC_USAGE,
    HASH_EXAMPLE,
    POLLING,
    SIMPLE,
    WITH_POSE,
    REUSE,
    ALL_POSES,
    ERROR_HANDLING,
    VARIABLES,
    CURL,
    UPLOAD_ANSWER,
    HASH_ANSWER,
    GENERATE_BODY,
    GENERATE_ANSWER,
    COMPLETED_ANSWER,
    LIST_ANSWER,
    HEALTH_ANSWER,
}
LEFT_OUT = {
    seed_block("bash", "1. Installation"): "a server of its own; the pack is installed into ComfyUI instead",
}


class SeedReader:
    """Someone who copies blocks into a Python session, one after the other.

    Attributes:
        variables: what the session knows; a block finds here what the blocks before it left.
        answers: every answer that the server gave, in order.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        # The document leaves imports out that stood in an earlier block.
        self.variables: dict[str, Any] = {"requests": requests, "time": time}
        self.answers: list[requests.Response] = []
        self._session = requests.Session()
        self._session.trust_env = False

    def run(self, block: Block) -> None:
        """Run a block as it stands. Raises what it raises."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(requests, "get", self._sender("GET"))
            patch.setattr(requests, "post", self._sender("POST"))
            exec(compile(block.text, f"<{block.name}>", "exec"), self.variables)  # noqa: S102

    @property
    def statuses(self) -> list[int]:
        return [answer.status_code for answer in self.answers]

    def _sender(self, method: str) -> Callable[..., requests.Response]:
        def send(url: str, **options: Any) -> requests.Response:
            answer = self._session.request(method, self._absolute(url), timeout=60, **options)
            self.answers.append(answer)
            return answer

        return send

    def _absolute(self, url: str) -> str:
        if url.startswith(SEED_SERVER):
            return self.server + url.removeprefix(SEED_SERVER)
        assert url.startswith("/"), url
        return self.server + PREFIX + url


@pytest.fixture
def reader(api: Api) -> SeedReader:
    return SeedReader(api.server)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    place = make_seed_folder(tmp_path / "work")
    monkeypatch.chdir(place)
    return place


def test_the_document_is_the_one_that_was_agreed_on() -> None:
    # Formatters rewrite code blocks in Markdown too, and then users' own text is no longer what is tested.
    text = DOCUMENT.read_text(encoding="utf-8")  # with any line ends, as git may change them
    assert hashlib.sha256(text.encode()).hexdigest() == DOCUMENT_SHA256


def test_every_block_is_used_or_left_out_with_a_reason() -> None:
    assert USED | LEFT_OUT.keys() == set(seed_blocks())
    assert not USED & LEFT_OUT.keys()


def test_basic_usage(reader: SeedReader, api: Api, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reader.run(BASIC_USAGE)

    assert reader.statuses == [200, 200, 200]
    assert reader.answers[0].json()["is_duplicate"] is False
    assert api.get(f"/files/{reader.variables['file_id']}").content == (folder / "pose.png").read_bytes()
    assert reader.variables["generation_id"] in capsys.readouterr().out
    generation = api.wait(reader.variables["generation_id"])
    assert generation["status"] == "completed"
    assert [line["file_id"] for line in generation["inputs"]] == [reader.variables["file_id"]]
    assert generation["parameters"]["realism"] is False


def test_the_hash_example_finds_a_picture_once_it_is_there(
    reader: SeedReader, api: Api, folder: Path
) -> None:
    reader.run(HASH_EXAMPLE)
    assert reader.variables["response"].json()["exists"] is False
    assert "file_id" not in reader.variables

    uploaded = api.upload((folder / "image.png").read_bytes(), "reference")
    reader.run(HASH_EXAMPLE)
    assert reader.variables["file_id"] == uploaded["file_id"]
    assert reader.variables["content_hash"] == uploaded["content_hash"]


def test_workflow_1_and_the_polling_pattern(reader: SeedReader, api: Api) -> None:
    reader.run(SIMPLE)
    reader.run(POLLING)

    assert reader.variables["status"] == "completed"
    generation = reader.answers[-1].json()
    assert generation["parameters"]["prompt"] == "cyberpunk character, neon hair, tech implants"
    (output,) = generation["output_files"]
    assert api.get(output["url"]).headers["Content-Type"] == "image/png"


def test_workflow_2_draws_the_pose_that_was_uploaded(reader: SeedReader, api: Api) -> None:
    reader.run(WITH_POSE)

    generation = api.wait(reader.variables["gen_response"].json()["generation_id"])
    assert generation["status"] == "completed"
    assert [(line["role"], line["file_id"]) for line in generation["inputs"]] == [
        ("pose", reader.variables["pose_file_id"])
    ]


def test_workflow_3_uploads_once_and_reuses_after_that(
    reader: SeedReader, api: Api, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.run(REUSE)
    assert reader.statuses == [200, 200, 200]  # hash, upload, generate
    file_id = reader.variables["file_id"]
    assert reader.answers[1].json()["is_duplicate"] is False
    assert reader.variables["file_hash"] == hashlib.sha256((folder / "pose.png").read_bytes()).hexdigest()
    assert capsys.readouterr().out == ""

    reader.run(REUSE)
    assert reader.statuses[3:] == [200, 200]  # hash, generate
    assert capsys.readouterr().out == f"File already exists, using {file_id}\n"
    for answer in (reader.answers[2], reader.answers[4]):
        generation = api.wait(answer.json()["generation_id"])
        assert generation["status"] == "completed"
        assert generation["parameters"]["pose_file_id"] == file_id


def test_workflow_4_prints_four_views(
    reader: SeedReader, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.run(ALL_POSES)

    printed = re.findall(r"^Pose: (\w+) - URL: (/\S+)$", capsys.readouterr().out, re.MULTILINE)
    assert [view for view, _url in printed] == VIEWS
    pictures = [api.get(url) for _view, url in printed]
    assert [answer.headers["Content-Type"] for answer in pictures] == ["image/png"] * 4
    # The printed URLs resolve against the server's root as well as against the API's prefix.
    assert [api.root(url).content for _view, url in printed] == [answer.content for answer in pictures]
    assert len({answer.content for answer in pictures}) == 4
    assert reader.answers[-1].json()["parameters"]["clothing"] == "full plate armor"


def test_error_handling_says_nothing_when_all_is_well(
    reader: SeedReader, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.variables["request_data"] = {"prompt": "a knight"}
    reader.run(ERROR_HANDLING)

    assert capsys.readouterr().out == ""
    assert api.wait(reader.variables["generation"]["generation_id"])["status"] == "completed"


def test_error_handling_reports_a_refusal(reader: SeedReader, capsys: pytest.CaptureFixture[str]) -> None:
    reader.variables["request_data"] = {"clothing": "a prompt is missing"}
    reader.run(ERROR_HANDLING)

    assert capsys.readouterr().out.startswith("HTTP error: 422")


def test_error_handling_reports_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    reader = SeedReader(f"http://127.0.0.1:{free_port()}")
    reader.variables["request_data"] = {"prompt": "a knight"}
    reader.run(ERROR_HANDLING)

    assert capsys.readouterr().out.startswith("Request error: ")


def test_the_curl_commands(api: Api) -> None:
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        pytest.skip("bash and curl are not installed")
    paragraphs = CURL.text.replace(SEED_SERVER, api.server).strip().split("\n\n")
    assert [paragraph.splitlines()[0] for paragraph in paragraphs] == [
        "# Upload file",
        "# Generate avatar",
        "# Check status",
    ]

    def run(commands: str) -> Any:
        environment = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
        done = subprocess.run([bash, "-c", commands], capture_output=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    upload, generate, check = paragraphs
    uploaded = run(upload)
    assert (uploaded["filename"], uploaded["is_duplicate"]) == ("pose.png", False)
    assert run(upload) == {**uploaded, "is_duplicate": True}
    generation = run(generate)
    assert generation["status"] in ("queued", "processing")
    finished = api.wait(generation["generation_id"])
    assert run(check.replace("{generation_id}", generation["generation_id"])) == finished
    assert (finished["status"], finished["parameters"]["prompt"]) == ("completed", "warrior character")


def test_the_variables_work_as_the_pack_s_own_settings(comfy_factory: Callable[..., ComfyServer]) -> None:
    server = comfy_factory(dotenv=VARIABLES.text)
    api = Api(server.url)

    health = api.get("/health").json()
    assert (health["api_status"], health["comfyui"]["url"]) == ("healthy", "http://localhost:8188")
    uploaded = api.upload(picture(1, (64, 64)))
    assert api.get(uploaded["url"]).status_code == 200
    too_small = api.post("/upload/pose_image", files={"file": ("small.png", picture(1, (64, 63)))})
    assert too_small.status_code == 400
    data = server.base / "user" / "__avatarforge"
    assert (data / "avatarforge.db").is_file()
    stored = [path for path in (data / "storage").rglob("*") if path.is_file()]
    assert picture(1, (64, 64)) in [path.read_bytes() for path in stored]
