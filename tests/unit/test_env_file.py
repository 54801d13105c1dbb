"""`.env` files as people write them: what works, and what is reported instead of being ignored."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from avatarforge.forge.env_file import LARGEST
from avatarforge.forge.errors import SettingsError
from avatarforge.forge.settings import load_settings


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def refusal(dotenv: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ or {}, dotenv)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (r"C:\temp\avatars", r"C:\temp\avatars"),
        (r"'C:\temp\avatars'", r"C:\temp\avatars"),
        (r'"C:\\temp\\avatars"', r"C:\temp\avatars"),
        ('"C:/temp/avatars"', "C:/temp/avatars"),
        (r'"C:\Users\me\Pictures"', r"C:\Users\me\Pictures"),  # no escape among them
        (r'"D:\My Pictures"', r"D:\My Pictures"),
        (r"\\server\share\avatars", r"\\server\share\avatars"),
        (r'"\\\\server\\share"', r"\\server\share"),
        ("  /mnt/pictures  # the big disk", "/mnt/pictures"),
        ("'/mnt/pictures #1'", "/mnt/pictures #1"),
        ("'/mnt/Bilder für Alle'", "/mnt/Bilder für Alle"),
    ],
)
def test_paths_that_are_read_as_they_are_written(dotenv: Path, written: str, path: str) -> None:
    dotenv.write_text(f"STORAGE_PATH={written}\n", encoding="utf-8")
    assert load_settings({}, dotenv).storage_path == path


ESCAPES = [rf'"C:\{letter}older\avatars"' for letter in "abfnrtv"]


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        *[(written, "in single quotes") for written in [*ESCAPES, r'"C:\pics\new"', r'".\avatars"']],
        (r'"\\server\share"', "without quotes, or with /"),
        (r"'\\server\share'", "without quotes, or with /"),
        (r'"\\?\C:\pics"', "without quotes, or with /"),
        (r'"D:\pics\"quoted\""', "without quotes, or with /"),
        (r"'D:\it\'s'", "without quotes, or with /"),
    ],
)
@pytest.mark.parametrize("name", ["STORAGE_PATH", "AVATARFORGE_STORAGE_PATH"])
def test_a_windows_path_that_its_quotes_change_is_refused(
    dotenv: Path, name: str, written: str, remedy: str
) -> None:
    dotenv.write_text(f"# mine\n\nMAX_FILE_SIZE=2048\n{name}={written}  # here\n", encoding="utf-8")
    told = refusal(dotenv)
    assert told.startswith(f"{name}={written} in line 4 of .env cannot be used: inside ")
    assert remedy in told


@pytest.mark.parametrize(
    "name", ["CHECKPOINT_ANIME", "POSE_CONTROLNET", "DATABASE_URL", "COMFYUI_URL", "API_KEY"]
)
def test_escapes_are_refused_in_every_text(dotenv: Path, name: str) -> None:
    dotenv.write_text(rf'{name}="SD15\new\0123456789abcdef"' + "\n", encoding="utf-8")
    told = refusal(dotenv)
    assert told.startswith(name)
    assert "in line 1 of .env cannot be used: inside double quotes" in told
    assert ("0123456789abcdef" in told) is (name != "API_KEY")


def test_the_password_of_a_database_is_not_repeated(dotenv: Path) -> None:
    dotenv.write_text('DATABASE_URL="postgresql://me:hunter2@db\\new"\n', encoding="utf-8")
    assert refusal(dotenv).startswith(r'DATABASE_URL="postgresql://me:***@db\new" in line 1 of .env cannot')


@pytest.mark.parametrize("character", ["\t", "\n", "\r", "\x00", "\x07", "\x1b", "\x7f", "\x85"])
def test_control_characters_in_the_environment_are_refused(dotenv: Path, character: str) -> None:
    told = refusal(dotenv, {"AVATARFORGE_STORAGE_PATH": f"pictures{character}"})
    assert told.startswith("AVATARFORGE_STORAGE_PATH='pictures")
    assert told.endswith(f"cannot be used: it holds the control character U+{ord(character):04X}.")


def test_lists_may_be_broken_into_lines(dotenv: Path) -> None:
    dotenv.write_text('ALLOWED_HOSTS="a.example,\n  b.example"\n', encoding="utf-8")
    assert load_settings({}, dotenv).allowed_hosts == "a.example,\n  b.example"


TEXT = "STORAGE_PATH=pictures\r\nMAX_FILE_SIZE=2048\r\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace("\r\n", "\r").encode(),
        TEXT.rstrip().encode(),
        f"# für\r\n\r\n{TEXT}".encode(),
        b"export STORAGE_PATH=pictures\nexport MAX_FILE_SIZE = 2048\n",
        b"STORAGE_PATH = 'pictures'\n  MAX_FILE_SIZE=2048 # bytes\n",
    ],
)
def test_files_that_work(dotenv: Path, data: bytes) -> None:
    dotenv.write_bytes(data)
    settings = load_settings({}, dotenv)
    assert (settings.storage_path, settings.max_file_size) == ("pictures", 2048)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        *[
            (mark + text.encode(encoding), "it is saved as UTF-16. Save it as UTF-8")
            for encoding, marks in (("utf-16-le", (b"\xff\xfe", b"")), ("utf-16-be", (b"\xfe\xff", b"")))
            for mark in marks
            for text in (TEXT, "API_KEY=0123456789abcdef")
        ],
        ("API_KEY=文字文字文字文字文字文字文字文字\n".encode("utf-16"), "it is saved as UTF-16"),
        ("# gr\xfcn\nAPI_KEY=0123456789abcdef\n".encode("latin-1"), "line 1 is not in UTF-8"),
        ("API_KEY=0123456789abcdef\r\n\r\n# gr\xfcn".encode("cp1252"), "line 3 is not in UTF-8"),
        (b"API_KEY=0123456789abcdef\n#\xff\n", "line 2 is not in UTF-8"),
        (b"MAX_FILE_SIZE=2048\nSTORAGE_PATH=a\0b\n", "line 2 holds a NUL byte"),
        (b"#" * (LARGEST + 1), "it is larger than 256 KiB"),
        (b'MAX_FILE_SIZE=2048\n\n\nAPI_KEY="0123456789abcdef\n', "line 4 cannot be read"),
        (b"API_KEY='0123456789abcdef\nMAX_FILE_SIZE='2048'\n", "line 1 cannot be read"),
        (b"API_KEY: 0123456789abcdef\n", "line 1 cannot be read"),
        (b"API_KEY 0123456789abcdef\n", "line 1 cannot be read"),
        (b"set API_KEY=0123456789abcdef\n", "line 1 cannot be read"),
        (b"API_KEY\n", "line 1 cannot be read"),
        (b"=0123456789abcdef\n", "line 1 cannot be read"),
        (b"API_KEY='0123456789abcdef' or so\nwhat\n", "lines 1, 2 cannot be read"),
        (b"what\n" * 12, "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more cannot be read"),
        (rb'STORAGE_PATH="D:\pics\"' + b"\n", "line 1 cannot be read"),
    ],
)
def test_files_that_cannot_be_read_whole(dotenv: Path, data: bytes, reason: str) -> None:
    dotenv.write_bytes(data)
    told = refusal(dotenv)
    assert told.startswith(f"The file .env cannot be read: {reason}")
    assert "0123456789abcdef" not in told


def test_a_quote_that_is_closed_in_the_next_line_swallows_no_setting(dotenv: Path) -> None:
    dotenv.write_text('STORAGE_PATH="pictures\nCOMFYUI_URL=http://a"\n', encoding="utf-8")
    assert "in line 1 of .env cannot be used: its quotes are closed in a later line" in refusal(dotenv)


def test_a_folder_of_that_name(dotenv: Path) -> None:
    dotenv.mkdir()
    assert refusal(dotenv) == "The file .env cannot be read: it is no file."


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes among its files")
def test_a_pipe_of_that_name_is_not_waited_for(dotenv: Path) -> None:
    os.mkfifo(dotenv)
    assert refusal(dotenv) == "The file .env cannot be read: it is no file."


def test_a_link_to_nothing(dotenv: Path) -> None:
    dotenv.symlink_to("nowhere")
    assert refusal(dotenv) == "The file .env cannot be read: No such file or directory."


def test_a_file_that_may_not_be_read(dotenv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dotenv.write_text("MAX_FILE_SIZE=2048\n")

    def refused(*_: Any, **__: Any) -> Any:  # the tests may run as root, whom no mode keeps out
        raise PermissionError(13, "Permission denied", str(dotenv))

    monkeypatch.setattr(Path, "open", refused)
    assert refusal(dotenv) == "The file .env cannot be read: Permission denied."


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("environ", "text", "told"),
    [
        (
            {"AVATARFORGE_STORGE_PATH": "x"},
            "",
            "AVATARFORGE_STORGE_PATH in the environment is no setting and has no effect. "
            "Did you mean AVATARFORGE_STORAGE_PATH?",
        ),
        (
            {"avatarforge_api_key": "x"},
            "",
            "avatarforge_api_key in the environment is no setting and has no effect. "
            "Did you mean AVATARFORGE_API_KEY?",
        ),
        ({}, "api_key=x\n", "api_key in .env is no setting and has no effect. Did you mean API_KEY?"),
        (
            {},
            "MAX_FILESIZE=1\n",
            "MAX_FILESIZE in .env is no setting and has no effect. Did you mean MAX_FILE_SIZE?",
        ),
        ({}, "COLOUR=x\n", "COLOUR in .env is no setting and has no effect."),
        (
            {},
            "\u201cAPI_KEY\u201d=x\n",
            "'\u201cAPI_KEY\u201d' in .env is no setting and has no effect. Did you mean API_KEY?",
        ),
        ({}, "RATE_LIMIT=1\nRATE_LIMIT=2\n", "RATE_LIMIT stands in lines 1 and 2 of .env; the latter counts"),
    ],
)
def test_what_has_no_effect_is_reported(
    dotenv: Path, caplog: pytest.LogCaptureFixture, environ: dict[str, str], text: str, told: str
) -> None:
    dotenv.write_text(text, encoding="utf-8")
    load_settings(environ, dotenv)
    assert warnings(caplog) == [f"AvatarForge: {told}"]


def test_names_of_others_are_not_reported(dotenv: Path, caplog: pytest.LogCaptureFixture) -> None:
    dotenv.write_text("RATE_LIMIT=1\nAVATARFORGE_LOG_PROMPTS=true\n", encoding="utf-8")
    load_settings({"STORGE_PATH": "x", "AVATARFORGE_CACHE": "x", "AVATARFORGE_RATE_LIMIT": "2"}, dotenv)
    assert warnings(caplog) == []


def test_unknown_names_do_not_fill_the_log(dotenv: Path, caplog: pytest.LogCaptureFixture) -> None:
    dotenv.write_text("".join(f"{'N' * 300}{number}=x\n" for number in range(100)), encoding="utf-8")
    load_settings({}, dotenv)
    assert len(warnings(caplog)) == 20
    assert max(len(told) for told in warnings(caplog)) < 200


def test_the_ending_that_windows_hides_is_reported(dotenv: Path, caplog: pytest.LogCaptureFixture) -> None:
    dotenv.with_name(".env.txt").write_text("RATE_LIMIT=1\n")
    assert load_settings({}, dotenv).rate_limit == 0
    assert warnings(caplog) == ["AvatarForge: .env.txt has no effect; its name must be .env"]


@pytest.mark.parametrize("path", ["~nobody-of-this-name/x", "~nobody-of-this-name"])
def test_a_home_folder_that_is_not_known(dotenv: Path, tmp_path: Path, path: str) -> None:
    settings = load_settings({"AVATARFORGE_STORAGE_PATH": path}, dotenv)
    with pytest.raises(SettingsError) as caught:
        settings.storage_folder(tmp_path)
    assert str(caught.value).startswith(f"STORAGE_PATH={path!r} cannot be used: the home folder")
