"""schemathesis over the whole OpenAPI document, with every check, on a real ComfyUI."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.api import TERMINAL, Api

HERE = Path(__file__).parent
PROGRAM = "from schemathesis.cli import schemathesis; schemathesis()"
#: Another number tries other requests: AVATARFORGE_SCHEMATHESIS_SEED=2 python3 dev.py test -k schemathesis
SEED = os.environ.get("AVATARFORGE_SCHEMATHESIS_SEED", "1")
EXAMPLES = "8"
DEADLINE = 600
#: Answers that go on until the client leaves are never there to be judged; tests/host/test_live.py does.
ENDLESS = "/events$"


def cancel_batches(api: Api) -> None:
    """Stop every batch that has not ended."""
    cursor = ""
    while cursor is not None:
        page = api.get("/batch", params={"limit": 100, **({"cursor": cursor} if cursor else {})}).json()
        for batch in page["batches"]:
            if batch["status"] not in TERMINAL:
                api.post(f"/batch/{batch['batch_id']}/cancel")
        cursor = page["next_cursor"]


@pytest.mark.timeout(DEADLINE + 60)
def test_no_answer_is_a_5xx_or_one_that_the_document_does_not_describe(
    api: Api, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    operations = sum(
        len([method for method in operations if method != "parameters"])
        for path, operations in api.get("/openapi.json").json()["paths"].items()
        if not re.search(ENDLESS, path)
    )
    answer = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, "--config-file", HERE / "schemathesis.toml"),
            *("run", f"{api.base_url}/openapi.json", "--checks", "all", "--seed", SEED),
            *("--max-examples", EXAMPLES, "--no-color", "--exclude-path-regex", ENDLESS),
        ],
        cwd=tmp_path,
        env={
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parent))),
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONIOENCODING": "utf-8",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=DEADLINE,
    )
    # So that nothing of what was asked for still runs under the next test.
    cancel_batches(api)
    api.request("POST", f"{api.server}/queue", json={"clear": True})
    api.request("POST", f"{api.server}/interrupt")
    made = re.search(r"(\d+) generated", answer.stdout)
    with capfd.disabled():
        print(f"\nschemathesis: seed {SEED}, {made[1] if made else 'no'} cases, {operations} operations")
    assert answer.returncode == 0, answer.stdout
    assert f"Tested: {operations}" in answer.stdout
    assert made is not None
    assert int(made[1]) > 1000
    assert api.get("/health").json()["api_status"] == "healthy"
