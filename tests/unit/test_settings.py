from __future__ import annotations

from pathlib import Path

import pytest

from avatarforge.forge.errors import SettingsError
from avatarforge.forge.settings import Settings, load_settings


def write(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_those_of_the_seed(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path / ".env")
    assert (settings.max_file_size, settings.max_image_dimension) == (52_428_800, 4096)
    assert (settings.min_image_dimension, settings.file_cleanup_days) == (64, 30)


def test_the_seeds_own_env_file_is_read_with_its_comments(tmp_path: Path) -> None:
    path = write(
        tmp_path, "# Storage\nSTORAGE_PATH=./storage\nMAX_FILE_SIZE=2048  # 2 KB\nFILE_CLEANUP_DAYS=7\n"
    )
    settings = load_settings({}, path)
    assert (settings.storage_path, settings.max_file_size, settings.file_cleanup_days) == (
        "./storage",
        2048,
        7,
    )


def test_prefixed_names_win_and_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "MAX_FILE_SIZE=2000\nAVATARFORGE_MAX_FILE_SIZE=3000\n")
    assert load_settings({}, path).max_file_size == 3000
    assert load_settings({"AVATARFORGE_MAX_FILE_SIZE": "4000"}, path).max_file_size == 4000


def test_unprefixed_names_of_the_environment_belong_to_others(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://someone-else", "MAX_FILE_SIZE": "nonsense"}
    assert load_settings(environ, tmp_path / ".env") == Settings()


def test_an_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    path = write(tmp_path, "MAX_FILE_SIZE=5000\n")
    assert load_settings({"AVATARFORGE_MAX_FILE_SIZE": ""}, path).max_file_size == 5000


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("MAX_FILE_SIZE", "fifty", "from 1024 to 1073741824"),
        ("MAX_FILE_SIZE", "-1", "from 1024 to 1073741824"),
        ("MAX_IMAGE_DIMENSION", "63", "from 64 to 16384"),
        ("FILE_CLEANUP_DAYS", "0", "from 1 to 36500"),
        ("DEFAULT_WIDTH", "100", "from 64 to 4096 and a multiple of 8"),
    ],
)
def test_a_wrong_value_is_named_with_its_range(tmp_path: Path, name: str, value: str, allowed: str) -> None:
    for environ, text, spelled in (
        ({f"AVATARFORGE_{name}": value}, "", f"AVATARFORGE_{name}"),
        ({}, f"{name}={value}\n", name),
    ):
        with pytest.raises(SettingsError) as caught:
            load_settings(environ, write(tmp_path, text))
        assert str(caught.value).startswith(f"{spelled}={value!r} cannot be used: ")
        assert allowed in str(caught.value)


def test_a_secret_that_is_too_short_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"AVATARFORGE_API_KEY": "hunter2"}, tmp_path / ".env")
    said = str(caught.value)
    assert said == "AVATARFORGE_API_KEY cannot be used: it must be a text of 16 to 512 characters."


def test_yes_and_no_are_told_what_they_must_be(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"AVATARFORGE_LOG_PROMPTS='maybe'.*must be true or false"):
        load_settings({"AVATARFORGE_LOG_PROMPTS": "maybe"}, tmp_path / ".env")


def test_a_key_and_no_key_contradict_each_other(tmp_path: Path) -> None:
    environ = {"AVATARFORGE_API_KEY": "k" * 16, "AVATARFORGE_ALLOW_ANONYMOUS": "true"}
    with pytest.raises(SettingsError, match="API_KEY and ALLOW_ANONYMOUS=true contradict"):
        load_settings(environ, tmp_path / ".env")


def test_dimensions_out_of_order_are_refused(tmp_path: Path) -> None:
    environ = {"AVATARFORGE_MIN_IMAGE_DIMENSION": "512", "AVATARFORGE_MAX_IMAGE_DIMENSION": "256"}
    with pytest.raises(SettingsError, match="MIN_IMAGE_DIMENSION=512 is above MAX_IMAGE_DIMENSION=256"):
        load_settings(environ, tmp_path / ".env")


def test_an_env_file_that_is_no_text_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load_settings({}, path)


def test_relative_storage_starts_at_the_data_folder(tmp_path: Path) -> None:
    assert Settings().storage_folder(tmp_path) == tmp_path / "storage"
    assert Settings(storage_path="./pictures").storage_folder(tmp_path) == tmp_path / "pictures"
    absolute = tmp_path / "elsewhere"
    assert Settings(storage_path=str(absolute)).storage_folder(Path("/data")) == absolute


def test_the_example_file_names_every_setting_with_its_default() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    lines = dict(
        line.lstrip("# ").split("#")[0].strip().split("=", 1)
        for line in example.splitlines()
        if "=" in line and line.lstrip("# ").split("=")[0].isupper()
    )
    fields = Settings.model_fields
    assert {name.lower() for name in lines} == set(fields)
    for name, value in lines.items():
        default = fields[name.lower()].default
        assert value in ("", str(default)), name
