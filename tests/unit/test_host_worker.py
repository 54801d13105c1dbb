from __future__ import annotations

import threading

from avatarforge.host.worker import PromptWorker


def prompt_worker(stop: threading.Event) -> None:
    stop.wait(10)


def test_a_thread_that_was_seen_and_is_gone_has_ended() -> None:
    stop, worker = threading.Event(), PromptWorker()
    thread = threading.Thread(target=prompt_worker, args=(stop,))
    thread.start()
    assert not worker.ended()
    stop.set()
    thread.join()
    assert worker.ended()


def test_one_that_was_never_seen_counts_as_alive() -> None:
    assert not PromptWorker().ended()


def test_another_one_that_took_its_place_counts() -> None:
    worker = PromptWorker()
    for _ in range(2):
        stop = threading.Event()
        thread = threading.Thread(target=prompt_worker, args=(stop,))
        thread.start()
        assert not worker.ended()
        stop.set()
        thread.join()
