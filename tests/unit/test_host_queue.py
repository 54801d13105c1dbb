"""Our corner of ComfyUI's queue, on a ComfyUI whose answers a test chooses."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from avatarforge.forge.errors import PromptRefusedError, UnavailableError
from avatarforge.forge.ports import CheckedPrompt, PromptEvent

NODE = "KSampler (node 3):"
PROMPT = {"1": {"class_type": "KSampler", "inputs": {}}}


class PromptQueue:
    """As that of ComfyUI 0.30, but for what `put` gives back or raises."""

    def __init__(self, answer: object = None, *, error: Exception | None = None, late: bool = False) -> None:
        self.answer, self.error, self.late = answer, error, late
        self.items: list[tuple[Any, ...]] = []
        self.interrupted: list[str] = []
        self.history: dict[str, Any] = {}

    def put(self, item: tuple[Any, ...]) -> object:
        if self.answer is not False and (self.error is None or self.late):
            self.items.append(item)
        if self.error is not None:
            raise self.error
        return self.answer

    def delete_queue_item(self, function: Callable[[tuple[Any, ...]], bool]) -> bool:
        before = len(self.items)
        self.items = [item for item in self.items if not function(item)]
        return len(self.items) < before

    def interrupt_if_running(self, prompt_id: str) -> None:
        self.interrupted.append(prompt_id)

    def get_history(self, prompt_id: str, map_function: Callable[[Any], Any]) -> dict[str, Any]:
        return {prompt_id: map_function(self.history[prompt_id])} if prompt_id in self.history else {}


def module(name: str, **values: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(values)
    return made


@pytest.fixture
def comfy(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """ComfyUI's modules as stand-ins, and `host.queue` imported on them."""
    validated: list[Any] = [(True, None, ["1"], {})]

    async def validate_prompt(*_: object) -> Any:
        return validated[-1]

    async def validate_inputs(_: str, prompt: Any, node_id: str, validated: dict[str, Any]) -> Any:
        """Says of any file that it is not installed, and of any text that it is wrong."""
        if prompt[node_id]["class_type"] == "Raises":
            raise RuntimeError("a pack's own fault")
        errors = [
            {
                "type": "value_not_in_list",
                "message": "Value not in list",
                "extra_info": {"input_name": name, "received_value": value},
            }
            for name, value in prompt[node_id]["inputs"].items()
            if isinstance(value, str)
        ]
        validated[node_id] = (not errors, errors, node_id)
        return validated[node_id]

    methods = SimpleNamespace(NoPreviews=0, Latent2RGB=SimpleNamespace(value="latent2rgb"))
    folders = {name: lambda: "/srv/comfy out" for name in ("get_output_directory", "get_input_directory")}
    stand_ins = (
        module(
            "execution",
            validate_prompt=validate_prompt,
            validate_inputs=validate_inputs,
            SENSITIVE_EXTRA_DATA_KEYS=(),
        ),
        module("nodes", NODE_CLASS_MAPPINGS=dict.fromkeys(("KSampler", "Loader", "Raises"))),
        module("comfy"),
        module("comfy.cli_args", LatentPreviewMethod=methods, args=SimpleNamespace(preview_method=1)),
        module("server", PromptServer=object),
        module(
            "folder_paths",
            __file__="/srv/My Comfy/ComfyUI/folder_paths.py",
            base_path="/srv/My Comfy/ComfyUI",
            models_dir="/srv/models",
            folder_names_and_paths={"loras": (["/mnt/a, b/loras"], set())},
            get_user_directory=lambda: "/srv/user",
            get_temp_directory=lambda: "/srv/temp",
            **folders,
        ),
    )
    for entry in stand_ins:
        monkeypatch.setitem(sys.modules, entry.__name__, entry)
    for name in ("avatarforge.host.queue", "avatarforge.host.server_folders", "avatarforge.host.refusals"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    queue = importlib.import_module("avatarforge.host.queue")

    def server(prompts: PromptQueue, handler: Callable[[Any], Any] = lambda body: body) -> Any:
        return SimpleNamespace(
            sockets={},
            sockets_metadata={},
            number=0,
            prompt_queue=prompts,
            trigger_on_prompt=handler,
            node_replace_manager=SimpleNamespace(apply_replacements=lambda prompt: None),
        )

    def open_queue(prompts: PromptQueue | None = None, **more: Any) -> Any:
        return queue.ComfyQueue(server(prompts or PromptQueue(), **more))

    yield SimpleNamespace(open=open_queue, validated=validated)
    for name in ("avatarforge.host.queue", "avatarforge.host.server_folders", "avatarforge.host.refusals"):
        sys.modules.pop(name, None)


def checked(prompt_id: str = "p") -> CheckedPrompt:
    return CheckedPrompt(prompt_id, (PROMPT, {}, ["1"]), PROMPT)


@pytest.mark.parametrize("answer", [None, True, 0, "", object()])
def test_a_prompt_is_queued_unless_put_says_false(comfy: SimpleNamespace, answer: object) -> None:
    prompts = PromptQueue(answer)
    comfy.open(prompts).enqueue(checked())
    assert [item[1] for item in prompts.items] == ["p"]


def test_a_prompt_that_put_refuses_is_not_queued(comfy: SimpleNamespace) -> None:
    with pytest.raises(UnavailableError, match="did not take the prompt into its queue"):
        comfy.open(PromptQueue(False)).enqueue(checked())


@pytest.mark.parametrize("late", [False, True])
def test_a_prompt_is_in_no_queue_when_put_raises(comfy: SimpleNamespace, late: bool) -> None:
    prompts = PromptQueue(error=RuntimeError("/home/me/secret"), late=late)
    queue = comfy.open(prompts)
    with pytest.raises(UnavailableError, match="did not take the prompt") as raised:
        queue.enqueue(checked())
    assert "secret" not in str(raised.value)
    assert prompts.items == []


async def test_a_version_that_tells_more_of_a_validation_is_understood(comfy: SimpleNamespace) -> None:
    comfy.validated.append((True, None, ["1"], {}, "new"))
    assert (await comfy.open().check("p", PROMPT)).ticket == (PROMPT, {}, ["1"])


@pytest.mark.parametrize("given", [None, {}, {"prompt": None}, "text"])
async def test_a_handler_that_loses_the_prompt_is_a_refusal(comfy: SimpleNamespace, given: object) -> None:
    with pytest.raises(PromptRefusedError, match="on-prompt handler"):
        await comfy.open(handler=lambda _: given).check("p", PROMPT)


def node_error(**problem: Any) -> dict[str, Any]:
    return {"3": {"class_type": "KSampler", "errors": [problem], "dependent_outputs": []}}


@pytest.mark.parametrize(
    ("error", "node_errors", "said"),
    [
        (None, node_error(message="Not in list", details="a: 'b'"), f"{NODE} Not in list: a: 'b'"),
        (
            None,
            node_error(message="Exception", details="", extra_info={"exception_type": "x.y.OddError"}),
            f"{NODE} Exception: OddError",
        ),
        (None, node_error(message="Bad", details=None), f"{NODE} Bad"),
        (
            None,
            node_error(message="Bad", details="/srv/My Comfy/ComfyUI/input/a b.png is no picture"),
            f"{NODE} Bad: a b.png is no picture",
        ),
        (
            {"message": "Node 'X' not found.", "details": "Node ID '#3'"},
            [],
            "Node 'X' not found. Node ID '#3'",
        ),
        ({"message": "Prompt has no outputs", "details": ""}, {}, "Prompt has no outputs"),
        ("no prompt", {}, "no prompt"),
    ],
)
async def test_a_refusal_names_node_and_reason_and_no_folder(
    comfy: SimpleNamespace, error: object, node_errors: object, said: str
) -> None:
    comfy.validated.append((False, error, [], node_errors))
    with pytest.raises(PromptRefusedError) as raised:
        await comfy.open().check("p", PROMPT)
    assert str(raised.value) == f"ComfyUI refused the prompt. {said}"


def test_an_end_from_the_history_names_no_folder_of_the_server(comfy: SimpleNamespace) -> None:
    prompts = PromptQueue()
    failure = {
        "node_id": "5",
        "node_type": "LoraLoader",
        "exception_type": "OSError",
        "exception_message": "cannot read /mnt/a, b/loras/x y.pt of /srv/My Comfy/ComfyUI\n",
    }
    prompts.history["p"] = {"status": {"status_str": "error", "messages": [("execution_error", failure)]}}
    assert comfy.open(prompts).verdict("p").error == "LoraLoader (node 5): cannot read x y.pt of (folder)"


async def test_an_error_that_was_seen_wins_over_the_success_in_the_history(comfy: SimpleNamespace) -> None:
    """ComfyUI goes on where a node lacks its input, and then records a success."""
    prompts = PromptQueue()
    prompts.history["p"] = {"status": {"status_str": "success", "messages": []}}
    queue = comfy.open(prompts)
    assert queue.verdict("p") == PromptEvent("succeeded", "p")
    failure = {"prompt_id": "p", "node_id": "5", "node_type": "Save", "exception_message": "no picture there"}
    await queue.events.send_json({"type": "execution_error", "data": failure})
    await queue.events.send_json({"type": "execution_success", "data": {"prompt_id": "p"}})
    assert (queue.verdict("p").kind, queue.verdict("p").error) == (
        "failed",
        "Save (node 5): no picture there",
    )


async def test_every_missing_node_and_model_is_named_at_once(comfy: SimpleNamespace) -> None:
    prompt = {
        "1": {"class_type": "Loader", "inputs": {"ckpt_name": "a.safetensors", "device": "cuda"}},
        "2": {"class_type": "FaceDetailer", "inputs": {"model": ["1", 0]}, "_meta": {"title": "Faces"}},
        "3": {"class_type": "KSampler", "inputs": {"model": ["2", 0], "lora": "/srv/models/b.ckpt"}},
        "4": {"class_type": "Upscaler", "inputs": {"image": ["3", 0]}},
        "5": {"class_type": "Raises", "inputs": {"file": "c.pt"}},
    }
    with pytest.raises(PromptRefusedError) as refused:
        await comfy.open().check("p", prompt)
    problems = refused.value.problems
    assert [(item.kind, item.node, item.title, item.class_type) for item in problems] == [
        ("missing_node", "2", "Faces", "FaceDetailer"),
        ("missing_node", "4", "Upscaler", "Upscaler"),
        ("missing_model", "1", "Loader", "Loader"),
        ("missing_model", "3", "KSampler", "KSampler"),
    ]
    assert [(item.input, item.value) for item in problems[2:]] == [
        ("ckpt_name", "a.safetensors"),
        ("lora", "b.ckpt"),  # without a folder of the server
    ]
    for problem in problems:
        assert problem.detail in refused.value.detail
    # What was sent is not changed.
    assert prompt["3"]["inputs"] == {"model": ["2", 0], "lora": "/srv/models/b.ckpt"}


async def test_a_valid_output_beside_an_invalid_one_is_a_refusal(comfy: SimpleNamespace) -> None:
    error = {
        "type": "value_not_in_list",
        "message": "Value not in list",
        "details": "ckpt_name: 'a.safetensors' not in []",
        "extra_info": {"input_name": "ckpt_name", "received_value": "a.safetensors"},
    }
    comfy.validated.append((True, None, ["9"], {"1": {"class_type": "KSampler", "errors": [error]}}))
    with pytest.raises(PromptRefusedError) as refused:
        await comfy.open().check("p", PROMPT)
    (problem,) = refused.value.problems
    assert (problem.kind, problem.value) == ("missing_model", "a.safetensors")
