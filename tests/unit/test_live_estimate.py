"""Running times of past runs, and what they say about the next one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from specs import spec

from avatarforge.db.records import GenerationRecord
from avatarforge.forge.live.estimate import KINDS, Kind, RunningTimes, kind_of
from avatarforge.forge.spec.avatar import MANUAL_KIND, NO_SPEC, AvatarSpec
from avatarforge.forge.spec.views import SHEET_VIEWS

KIND = kind_of(spec(), 1)


def times(*seconds: float, kind: Kind = KIND) -> RunningTimes:
    known = RunningTimes()
    for item in seconds:
        known.learn(kind, item)
    return known


def row(made: AvatarSpec, seconds: float, kind: str = "avatar") -> GenerationRecord:
    text = NO_SPEC if kind == MANUAL_KIND else made.to_json()
    empty = '{"inputs":[],"warnings":[]}'
    return GenerationRecord(
        sequence=1, id="a", kind=kind, status="completed", prompt_id="a", spec_json=text, receipt_json=empty,
        attempts=1, error=None, reroll_json=None,
        created_at=0, started_at=1_000_000, completed_at=1_000_000 + int(seconds * 1e6),
    )  # fmt: skip


def test_nothing_is_known_of_a_kind_that_never_ran() -> None:
    known = times(10.0)
    assert known.median_seconds(kind_of(spec(), 4)) is None
    assert known.seconds_left(kind_of(replace(spec(), steps=21), 1), 1.0, 0.5) is None


def test_one_slow_run_of_five_says_little_and_older_ones_nothing() -> None:
    assert times(99.0, 10.0, 10.0, 60.0, 11.0, 10.0).median_seconds(KIND) == 10.0


def test_what_is_left_shrinks_with_the_time_and_follows_its_own_pace_towards_the_end() -> None:
    known = times(10.0)
    assert known.seconds_left(KIND, 0.0, 0.0) == 10.0
    assert known.seconds_left(KIND, 4.0, 0.0) == 6.0
    # Twice as slow as usual: 18 s for nine tenths are 2 s for the last one.
    assert known.seconds_left(KIND, 18.0, 0.9) == pytest.approx(1.8)
    assert known.seconds_left(KIND, 30.0, 0.0) == 0.0


def test_earlier_starts_of_comfyui_are_learned_from() -> None:
    known = RunningTimes()
    known.learn_from([row(spec(), 7.0), row(replace(spec(), views=SHEET_VIEWS), 20.0)])
    assert known.median_seconds(KIND) == 7.0
    assert known.median_seconds(kind_of(spec(), 4)) == 20.0


def test_rows_that_tell_no_running_time_are_passed_over() -> None:
    known = RunningTimes()
    reseeded = replace(spec(), reseeded={"front": 1})
    known.learn_from(
        [row(reseeded, 7.0), row(spec(), 7.0, MANUAL_KIND), replace(row(spec(), 7.0), started_at=None)]
    )
    assert known.median_seconds(KIND) is None


def test_the_kinds_that_are_remembered_are_bounded_and_the_oldest_goes() -> None:
    known = times(1.0)
    for steps in range(KINDS):
        known.learn(kind_of(replace(spec(), steps=1000 + steps), 1), 1.0)
    assert known.median_seconds(KIND) is None
    assert known.median_seconds(kind_of(replace(spec(), steps=1000), 1)) == 1.0
