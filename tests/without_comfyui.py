"""A pytest plugin that skips tests that need ComfyUI or torch, for a Python that has neither."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

#: ComfyUI's modules, and packages that only ComfyUI installs.
COMFYUI = frozenset(
    {"comfy", "comfy_api", "comfy_execution", "folder_paths", "safetensors", "server", "torch"}
)
REASON = "needs ComfyUI's environment"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-comfyui", action="store_true", help="skip what needs torch, ComfyUI or the lab"
    )
    parser.addoption("--at-least", type=int, default=0, metavar="N", help="fail when fewer than N tests pass")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the lab's tests: it needs Python 3.11, and runs only on the interpreter that runs `dev.py`."""
    if config.getoption("--without-comfyui") and collection_path.name.startswith("test_lab_"):
        return True
    return None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.outcome == "failed" and collector.config.getoption("--without-comfyui"):
        call = getattr(report, "call", None)
        missing = _missing(call.excinfo.value) if call is not None and call.excinfo is not None else None
        if missing:
            report.outcome = "skipped"
            report.longrepr = (str(collector.path), 1, f"Skipped: {missing} {REASON}")
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    minimum = session.config.getoption("--at-least")
    passed = len(reporter.stats.get("passed", ())) if reporter else 0
    if passed < minimum and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if reporter:
            reporter.write_line(f"\nOnly {passed} tests passed; {minimum} are the least.", red=True)


def _missing(error: BaseException | None) -> str | None:
    """The missing ComfyUI module that caused an error; None for any other error."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in COMFYUI:
            return error.name
        error = error.__cause__ or error.__context__
    return None
