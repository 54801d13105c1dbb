"""Only file names leave the server, however somebody else's code writes the path."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatarforge.forge.server_paths import FOLDER, without_folders

KNOWN = (
    "/srv/My Comfy/ComfyUI",
    "/srv/My Comfy/ComfyUI/models",
    "/home/ada",
    "/data",
    "/usr/local",
    r"D:\AI Tools\ComfyUI_windows_portable",
)

CUT = [
    # POSIX, quoted and not
    ("No such file: '/home/me/models/a.safetensors'", "No such file: 'a.safetensors'"),
    ("[Errno 2] No such file: '/mnt/My Drive/a b.pt'", "[Errno 2] No such file: 'a b.pt'"),
    ('cannot open "/mnt/My Drive/a.pt".', 'cannot open "a.pt".'),
    ("cannot open `/mnt/My Drive/a.pt`", "cannot open `a.pt`"),
    ("cannot open “/mnt/My Drive/a.pt”", "cannot open “a.pt”"),
    ("cannot open /mnt/My Drive/new models/a.pt today", "cannot open a.pt today"),
    ("cannot open /mnt/models/a.pt and/or /mnt/b.pt", "cannot open a.pt and/or b.pt"),
    ("'/a b/c.png' is not '/d e/f.png'", "'c.png' is not 'f.png'"),
    ("/mnt/x/a.png, /mnt/y z/b.png; /mnt/c.png", "a.png, b.png; c.png"),
    ("(/mnt/secret/a.png)", "(a.png)"),
    ("[/mnt/secret/a.png,/mnt/secret/b.png]", "[a.png,b.png]"),
    ("path=/mnt/secret/a.png", "path=a.png"),
    ("--model=/mnt/secret/a.pt -I/opt/secret/include/a.h", "--model=a.pt -Ia.h"),
    ("error:/mnt/secret/a.png", "error:a.png"),
    ("see /mnt/secret/a.png: it is broken", "see a.png: it is broken"),
    ("see /mnt/secret/a.png.", "see a.png."),
    ('"/home/O\'Brien/a.png" is broken', '"a.png" is broken'),
    ("'/home/O'Brien/a.png' is broken", "'a.png' is broken"),
    (r"'/home/it\'s/a.png' is broken", "'a.png' is broken"),
    ("cannot read /home/O'Brien/a.png", "cannot read a.png"),
    (r"cannot read /mnt/My\ Drive/a.png", "cannot read a.png"),
    (r"{\"path\": \"\/mnt\/My Drive\/a.png\"}", r"{\"path\": \"a.png\"}"),
    ("b'/mnt/My Drive/a.png'", "b'a.png'"),
    ("PosixPath('/mnt/My Drive/a.png')", "PosixPath('a.png')"),
    ('File "/opt/x y/nodes.py", line 3, in f', 'File "nodes.py", line 3, in f'),
    ("/opt/secret/nodes.py:33: error in a/b", "nodes.py:33: error in a/b"),
    (r"read /mnt/x/a.png\nTraceback: b/c", r"read a.png\nTraceback: b/c"),
    ("nicht lesbar: /mnt/Übungen/Fotos für Oma/größe.png", "nicht lesbar: größe.png"),
    ("読めません: '/mnt/写真 集/顔.png'", "読めません: '顔.png'"),
    ("/mnt/a:b/c.png", "c.png"),
    ("/mnt/Models (backup)/v1.5 final/a.pt failed", "a.pt failed"),
    ("/mnt/Dr. Who/a.pt failed", "a.pt failed"),
    ("/mnt/run 1/2/a.pt failed", "a.pt failed"),
    ("//server/share/dir/a.pt failed", "a.pt failed"),
    ("no room in /mnt/secret/dir/", f"no room in {FOLDER}"),
    ("no room in '/mnt/secret dir/'.", f"no room in '{FOLDER}'."),
    ("no access to /home/alice", f"no access to {FOLDER}"),
    ("no access to '/Users/alice'", f"no access to '{FOLDER}'"),
    # what a shell, a loader or an operator writes
    ("~/models/a.pt and ~bob/models/b.pt", "a.pt and b.pt"),
    ("$HOME/models/a.pt, ${HOME}/b.pt", "a.pt, b.pt"),
    (r"%USERPROFILE%\models\a.pt", "a.pt"),
    ("../../models/x/a.pt is missing", "a.pt is missing"),
    (r"..\..\models\x\a.pt is missing", "a.pt is missing"),
    ("./models/a.pt", "a.pt"),
    (".../secret/models/a.pt", "a.pt"),
    # Windows
    (r"bad C:\Users\me\x.png now", "bad x.png now"),
    (r"bad C:\Users\A B\x.png now", "bad x.png now"),
    ("bad C:/Users/A B/x.png now", "bad x.png now"),
    (r"bad C:\Users/A B\x.png now", "bad x.png now"),
    (r"bad 'C:\\Users\\A B\\x.png' now", "bad 'x.png' now"),
    (r"bad C:\\Users\\A B\\x.png now", "bad x.png now"),
    (r"{\"path\": \"C:\\Users\\A B\\x.png\"}", r"{\"path\": \"x.png\"}"),
    (r"C:\a b\x.png or D:\c\y.png", "x.png or y.png"),
    (r"WindowsPath('C:/Users/A B/x.png')", "WindowsPath('x.png')"),
    (r"in 'C:\Users\A B\'", f"in '{FOLDER}'"),
    (r"no access to C:\Users\alice", f"no access to {FOLDER}"),
    (r"open \\server\share\My Dir\x.pt", "open x.pt"),
    (r"open '\\\\server\\share\\My Dir\\x.pt'", "open 'x.pt'"),
    (r"open \\server\share", f"open {FOLDER}"),
    (r"open \\?\C:\Users\A B\x.pt", "open x.pt"),
    (r"open \\?\UNC\server\share\A B\x.pt", "open x.pt"),
    (r"open \\.\C:\Users\x.pt", "open x.pt"),
    (r"open \Users\me\x.pt", "open x.pt"),
    # URLs that name a path
    ("file:///mnt/My%20Drive/x.png", "x.png"),
    ("file:///C:/Users/A%20B/x.png", "x.png"),
    ("file://server/share/x.png", "x.png"),
    ("file:///mnt/My Drive/x.png", "x.png"),
    ("file:%2F%2F%2Fmnt%2FMy%20Drive%2Fx.png", "x.png"),
    ("C%3A%5CUsers%5CA%20B%5Cx.png", "x.png"),
    ("GET http://127.0.0.1/view?filename=/mnt/secret/x.png", "GET http://127.0.0.1/view?filename=x.png"),
    ("sqlite:////mnt/secret/a.db", "sqlite:///a.db"),
    # the server's own folders, whatever characters they hold
    ("/srv/My Comfy/ComfyUI/models/sd 1.5/a.pt is 1/2 there", "a.pt is 1/2 there"),
    ("cannot use /srv/My Comfy/ComfyUI as it is", f"cannot use {FOLDER} as it is"),
    ("home is /home/ada.", f"home is {FOLDER}."),
    ("cannot use '/data'", f"cannot use '{FOLDER}'"),
    ("file:///srv/My%20Comfy/ComfyUI/x.png", "x.png"),
    ("d:/ai tools/comfyui_WINDOWS_portable/ComfyUI/my models/a.pt!", "a.pt!"),
    (r"D:\\AI Tools\\ComfyUI_windows_portable\\a.pt", "a.pt"),
]

KEPT = [
    "shapes 1/2 and 3/4 differ",
    "see https://example.org/a/b",
    "see https://example.org/a b/c?d=e/f#g/h",
    "s3://bucket/a/b, ws://host/x/y, hf://org/model/file",
    "and/or, N/A, w/o, TCP/IP, 24/7, km/h, he/she",
    "on 2026/07/28 and 28/07/2026",
    "image/png, application/octet-stream; charset=utf-8",
    "the file text_encoders/clip_l.safetensors",
    "ckpt_name: 'SDXL/a b.safetensors' not in ['sub/x.pt', 'y.pt']",
    "a ratio of 16:9, or 3:4/2",
    "torch.Size([1, 4, 64/8, 64/8])",
    "sum(x)/n/m and (H*W)/(h/w)",
    "half / half / half",
    "GET /health says more",
    r"match \d+\.\d+ and \w+",
    r"hatsune miku \(vocaloid\), (smile:1.2)",
    "</title></head>",
    "about ~1/2 of it, $5/hour, 50%/year",
    "Error: a:b:c -> d",
    "drive C: is full; C:\\ too",
    "'/' is no name",
    "",
]


@pytest.mark.parametrize(("said", "kept"), CUT, ids=[said for said, _ in CUT])
def test_of_a_path_only_the_file_name_is_left(said: str, kept: str) -> None:
    assert without_folders(said, KNOWN) == kept


@pytest.mark.parametrize("said", KEPT)
def test_what_is_no_path_of_the_server_stays(said: str) -> None:
    assert without_folders(said, KNOWN) == said


@pytest.mark.parametrize("said", [kept for _, kept in CUT])
def test_what_was_cut_once_is_not_cut_again(said: str) -> None:
    assert without_folders(said, KNOWN) == said


WORD = st.text(string.ascii_lowercase + "éß写真", min_size=3, max_size=8).map(lambda text: f"secret{text}")
BEFORE, AFTER = st.sampled_from(["", "1.5 ", "(", "-", "my "]), st.sampled_from(["", " 2", ")", "_x", ".d"])
PLAIN = st.tuples(BEFORE, WORD, AFTER).map("".join)
ROOTS = [
    *("/", "//", "~/", "../", "./", "C:\\", "d:/", "file:///", "file:///C:/"),
    *("\\\\nas\\", "\\\\?\\C:\\", "\\\\?\\UNC\\nas\\"),
]
ANY_NAME = st.text(st.characters(exclude_characters="/\0\n", exclude_categories=["Cs"]), min_size=1)
QUOTES = ["", "'", '"', "`"]


@given(
    root=st.sampled_from(ROOTS),
    folders=st.lists(PLAIN, min_size=2, max_size=6),
    quote=st.sampled_from(QUOTES),
    escape=st.booleans(),
    tail=st.sampled_from(["", ".", " is broken", ", see 1/2", ": no", " and/or not", "\nTraceback"]),
)
def test_no_folder_of_a_path_survives(
    root: str, folders: list[str], quote: str, escape: bool, tail: str
) -> None:
    separator = "\\" if "\\" in root else "/"
    path = root + separator.join([*folders, "face.png"])
    if escape:
        path = path.replace("\\", "\\\\")
    said = without_folders(f"cannot read {quote}{path}{quote}{tail}")
    assert "secret" not in said
    assert said == f"cannot read {quote}face.png{quote}{tail}"


@given(
    folder=st.lists(ANY_NAME, min_size=2),
    name=st.sampled_from(["a.png", "my face.png"]),
)
def test_a_known_folder_never_survives_whatever_it_is_called(folder: list[str], name: str) -> None:
    known = "/" + "/".join(part + "secret" for part in folder)
    assert without_folders(f"cannot read {known}/{name}, again", (known,)) == f"cannot read {name}, again"


@given(st.text(alphabet="/\\:'\"` ab.%2F~$\n", max_size=300))
def test_any_text_is_dealt_with(said: str) -> None:
    assert len(without_folders(said, KNOWN)) <= len(said) + said.count("/") * len(FOLDER) + len(FOLDER) * 50


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    """Each of these makes a careless pattern try every way to split the text."""
    for text in ("/a b" * 50_000, "\\" * 100_000, "'/a" * 50_000, "/" * 100_000, "a " * 100_000):
        without_folders(text, KNOWN)  # pytest's own timeout bounds it
