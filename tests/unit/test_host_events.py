from __future__ import annotations

from typing import Any

import pytest

from avatarforge.forge.ports import PromptEvent
from avatarforge.forge.server_paths import without_folders
from avatarforge.host.events import LONGEST_MESSAGE, EventSocket


async def told(*messages: tuple[str, dict[str, Any]]) -> list[PromptEvent]:
    socket = EventSocket()
    heard: list[PromptEvent] = []
    socket.listen(heard.append)
    for kind, data in messages:
        await socket.send_json({"type": kind, "data": data})
    return heard


async def test_a_run_is_told_as_started_then_succeeded() -> None:
    heard = await told(
        ("execution_start", {"prompt_id": "p", "timestamp": 1}),
        ("executing", {"node": "3", "prompt_id": "p"}),
        ("execution_success", {"prompt_id": "p", "timestamp": 2}),
        ("executing", {"node": None, "prompt_id": "p"}),
    )
    assert heard == [PromptEvent("started", "p"), PromptEvent("succeeded", "p")]


async def test_an_error_that_does_not_end_the_run_is_a_failure_too() -> None:
    """ComfyUI says so of a node whose input has no value, and goes on with the others (execution.py:
    `execution_block_cb`)."""
    blocked = {
        "prompt_id": "p",
        "node_id": "5",
        "node_type": "VAEEncode",
        "exception_message": "Execution Blocked: no such picture",
        "exception_type": "ExecutionBlocked",
    }
    ended = ("execution_success", {"prompt_id": "p"}), ("executing", {"node": None, "prompt_id": "p"})
    failed, succeeded = await told(("execution_error", blocked), *ended, *ended)
    assert (failed.kind, failed.error) == (
        "failed",
        "VAEEncode (node 5): Execution Blocked: no such picture",
    )
    assert succeeded == PromptEvent("succeeded", "p")


async def test_the_end_is_told_only_once_it_is_in_the_history() -> None:
    assert await told(("execution_success", {"prompt_id": "p"})) == []


async def test_a_failure_carries_the_nodes_own_words() -> None:
    (event,) = await told(
        (
            "execution_error",
            {
                "prompt_id": "p",
                "node_id": "5",
                "node_type": "KSampler",
                "exception_message": "out of cheese\n",
                "exception_type": "RuntimeError",
            },
        ),
        ("executing", {"node": None, "prompt_id": "p"}),
    )
    node = "KSampler (node 5)"
    assert event == PromptEvent("failed", "p", f"{node}: out of cheese", reason=f"{node}: RuntimeError")


PACK_ERROR = "/home/ada/Comfy UI/custom_nodes/pack.nodes.OddError"


@pytest.mark.parametrize(
    ("message", "kind", "said"),
    [
        ("\n", "ValueError", "ValueError without a message"),
        ("", "torch.OutOfMemoryError", "OutOfMemoryError without a message"),
        (" \t\n", PACK_ERROR, "OddError without a message"),
        (None, "TimeoutError", "TimeoutError without a message"),
        ("None\n", "ValueError", "ValueError without a message"),
        ("", None, "an exception without a message"),
        ("'clip'\n", "KeyError", "KeyError: 'clip'"),
        ("out of cheese\n", "KeyError", "out of cheese"),
    ],
)
async def test_a_failure_without_words_names_the_exception(message: object, kind: object, said: str) -> None:
    failure = {
        "prompt_id": "p",
        "node_id": "5",
        "node_type": "KSampler",
        "exception_message": message,
        "exception_type": kind,
    }
    (event,) = await told(("execution_error", failure), ("executing", {"node": None, "prompt_id": "p"}))
    assert event.error == f"KSampler (node 5): {said}"


async def test_a_failure_that_tells_nothing_is_one_all_the_same() -> None:
    (event,) = await told(
        ("execution_error", {"prompt_id": "p"}), ("executing", {"node": None, "prompt_id": "p"})
    )
    assert event.error == "A node (node ?): an exception without a message"


async def test_a_failure_names_no_folder_and_is_no_book() -> None:
    socket = EventSocket(("/srv/My, Comfy",))
    heard: list[PromptEvent] = []
    socket.listen(heard.append)
    failure = {"prompt_id": "p", "exception_message": "no /srv/My, Comfy/models/a b.pt " + "x " * 90_000}
    await socket.send_json({"type": "execution_error", "data": failure})
    await socket.send_json({"type": "executing", "data": {"node": None, "prompt_id": "p"}})
    error = heard[0].error or ""
    assert error.startswith("A node (node ?): no a b.pt x x")
    assert len(error) < LONGEST_MESSAGE + 100


async def test_an_interruption_is_told_apart_from_a_failure() -> None:
    heard = await told(
        ("execution_interrupted", {"prompt_id": "p"}), ("executing", {"node": None, "prompt_id": "p"})
    )
    assert heard == [PromptEvent("interrupted", "p")]


async def test_a_change_of_the_queue_is_told() -> None:
    assert await told(("status", {"status": {}})) == [PromptEvent("queue_changed")]


async def test_odd_messages_neither_raise_nor_tell() -> None:
    socket = EventSocket()
    heard: list[PromptEvent] = []
    socket.listen(heard.append)
    await socket.send_json({"type": "status"})
    await socket.send_json({"type": "new_kind", "data": {"prompt_id": 3}})
    await socket.send_json({"type": "executing", "data": {"node": None, "prompt_id": "unknown"}})
    await socket.send_bytes(b"preview", compress=False)
    assert heard == []


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("No such file: '/home/me/models/a.safetensors'", "No such file: 'a.safetensors'"),
        (r"bad C:\Users\me\x.png now", "bad x.png now"),
        ("shapes 1/2 and 3/4 differ", "shapes 1/2 and 3/4 differ"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
    ],
)
def test_folders_of_the_server_are_cut_from_messages(said: str, kept: str) -> None:
    assert without_folders(said) == kept


async def test_the_last_word_is_known_until_it_is_told() -> None:
    """ComfyUI's history may be cleared between a prompt's end and the message that it is in there."""
    socket = EventSocket()
    await socket.send_json({"type": "execution_success", "data": {"prompt_id": "p"}})
    assert socket.verdict_of("p") == PromptEvent("succeeded", "p")
    assert socket.verdict_of("q") is None
    await socket.send_json({"type": "executing", "data": {"node": None, "prompt_id": "p"}})
    assert socket.verdict_of("p") is None


@pytest.mark.parametrize(
    ("output", "filenames"),
    [
        ({"images": [{"filename": "a.png"}, {"filename": 5}, {"file": "b"}, "c"]}, ("a.png",)),
        ({"images": "x"}, ()),
        ({"images": None}, ()),
        ({"text": ["x"]}, ()),
        (None, ()),
        ("x", ()),
    ],
)
async def test_whatever_a_node_of_a_pack_shows_is_no_fault(output: Any, filenames: tuple[str, ...]) -> None:
    (event,) = await told(("executed", {"prompt_id": "p", "node": "3", "output": output}))
    assert event == PromptEvent("saved", "p", filenames=filenames)
