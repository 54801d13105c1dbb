"""Generations on a real ComfyUI that fail, are listed, deleted or interrupted."""

from __future__ import annotations

from generating import TIME, fresh, run

from lab.api import Api
from lab.server import ComfyServer


def test_a_node_that_fails_gives_its_own_words(api: Api, comfy: ComfyServer) -> None:
    # A long job first, so that the next one still waits when its picture is taken away.
    file = api.upload(fresh())
    blocker = api.generate(steps=60, width=256, height=256)
    victim = api.generate(reference_file_id=file["file_id"])
    api.delete(f"/files/{file['file_id']}", params={"force": "true"})
    api.delete(f"/generations/{blocker['generation_id']}")
    failed = api.wait(victim["generation_id"])
    assert (failed["status"], failed["message"]) == ("failed", "Generation failed")
    assert "AvatarForgeLoadReference" in failed["error"]
    assert file["file_id"] in failed["error"]
    assert str(comfy.base) not in failed["error"]
    assert failed["output_files"] == []
    assert TIME.fullmatch(failed["completed_at"])


def test_listing(api: Api) -> None:
    done = [run(api)["generation_id"] for _ in range(3)]
    page = api.get("/generations", params={"limit": 2}).json()
    assert set(page) == {"total", "generations", "limit", "offset", "next_cursor"}
    assert (page["limit"], page["offset"]) == (2, 0)
    assert page["total"] >= 3
    assert [entry["generation_id"] for entry in page["generations"]] == [done[2], done[1]]
    assert page["generations"][0] == api.get(f"/generations/{done[2]}").json()
    run(api)
    following = api.get("/generations", params={"limit": 1, "cursor": page["next_cursor"]}).json()
    assert following["generations"][0]["generation_id"] == done[0]
    shifted = api.get("/generations", params={"limit": 1, "offset": 3}).json()
    assert shifted["generations"][0]["generation_id"] == done[0]
    assert shifted["offset"] == 3
    completed = api.get("/generations", params={"status": "completed", "limit": 100}).json()
    assert {entry["status"] for entry in completed["generations"]} == {"completed"}
    assert completed["total"] <= api.get("/generations").json()["total"]
    for bad in ("limit=0", "limit=101", "offset=-1", "status=done", "limit=x", "foo=1"):
        answer = api.get(f"/generations?{bad}")
        assert answer.status_code == 422
        assert set(answer.json()["detail"][0]) == {"loc", "msg", "type"}


def test_delete_takes_the_pictures_or_keeps_them(api: Api, comfy: ComfyServer) -> None:
    for keep in (False, True):
        done = run(api)
        folder = comfy.base / "output" / "avatarforge" / done["generation_id"]
        answer = api.delete(
            f"/generations/{done['generation_id']}", params={"keep_outputs": "true"} if keep else {}
        )
        assert answer.json() == {
            "generation_id": done["generation_id"],
            "deleted": True,
            "message": "Generation deleted",
        }
        assert folder.exists() is keep
        assert api.get(f"/generations/{done['generation_id']}").status_code == 404
        assert api.root(done["output_files"][0]["url"]).status_code == 404
        assert api.delete(f"/generations/{done['generation_id']}").status_code == 404


def test_delete_of_a_running_and_of_a_queued_one_cancels_them(api: Api, comfy: ComfyServer) -> None:
    running = api.generate(steps=60, width=256, height=256)
    queued = api.generate(steps=60, width=256, height=256)
    api.started(running["generation_id"])
    for entry in (queued, running):
        assert api.delete(f"/generations/{entry['generation_id']}").status_code == 200
    after = run(api)  # the queue goes on, so the two are out of it
    assert after["status"] == "completed"
    queue = api.root("/queue").json()
    ids = {item[1] for item in queue["queue_running"] + queue["queue_pending"]}
    assert not ids & {running["comfyui_prompt_id"], queued["comfyui_prompt_id"]}
    for entry in (queued, running):
        assert not (comfy.base / "output" / "avatarforge" / entry["generation_id"]).exists()


def test_interrupting_and_clearing_in_comfyui_ends_as_failed(api: Api) -> None:
    running = api.generate(steps=60, width=256, height=256)
    waiting = api.generate()
    api.started(running["generation_id"])
    api.request("POST", api.server + "/queue", json={"clear": True})
    cleared = api.wait(waiting["generation_id"])
    assert (cleared["status"], cleared["error"][:9]) == ("failed", "Cancelled")
    api.request("POST", api.server + "/interrupt")
    interrupted = api.wait(running["generation_id"])
    assert (interrupted["status"], interrupted["error"][:9]) == ("failed", "Cancelled")
