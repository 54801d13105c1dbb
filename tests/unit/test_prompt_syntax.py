"""What ComfyUI does not read as its user means it is named, once each, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatarforge.forge.graphs.prompt_syntax import MORE, MOST, prompt_warnings, refresh_warnings

INSTALLED = (
    "easynegative.safetensors",
    "bad hands.pt",
    "style/ink_v1.0.bin",
    "style/deep/brush.safetensors",
    "old.ckpt",
    "notes.txt",
    "odd\udcff.pt",
)
WORDS = "it is read as words"


def warned(*texts: str | None, embeddings: tuple[str, ...] | None = INSTALLED, platform: str = "linux") -> list[str]:
    return list(prompt_warnings(texts, embeddings, platform=platform))


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("a cat <lora:ink:0.8>", f"'<lora:ink:0.8>': no LoRA is loaded from the words of a prompt; {WORDS}."),
        ("<lora:ink>", f"'<lora:ink>': no LoRA is loaded from the words of a prompt; {WORDS}."),
        ("<LORA:my ink v2:0.8:0.5>", f"'<LORA:my ink v2:0.8:0.5>': no LoRA is loaded from the words of a prompt; {WORDS}."),
        ("<lyco:ink:1>", f"'<lyco:ink:1>': no LyCORIS is loaded from the words of a prompt; {WORDS}."),
        ("<hypernet:ink:1>", f"'<hypernet:ink:1>': no hypernetwork is loaded from the words of a prompt; {WORDS}."),
        ("a cat BREAK a dog", "'BREAK': ComfyUI has no such keyword; it is read as a word."),
        ("a cat,\nBREAK\na dog", "'BREAK': ComfyUI has no such keyword; it is read as a word."),
        ("a cat AND a dog", "'AND': ComfyUI has no such keyword; it is read as a word."),
        ("1girl AND 1boy :0.5", "'AND': ComfyUI has no such keyword; it is read as a word."),
        ("A AND B", "'AND': ComfyUI has no such keyword; it is read as a word."),
        ("[cat|dog] on a mat", f"'[cat|dog]': ComfyUI does not alternate between words; {WORDS}."),
        ("[[cat|dog]|cow]", f"'[[cat|dog]|cow]': ComfyUI does not alternate between words; {WORDS}."),
        ("[ [cat|dog]", f"'[cat|dog]': ComfyUI does not alternate between words; {WORDS}."),
        ("[cat:dog:0.5]", f"'[cat:dog:0.5]': ComfyUI does not change words during the steps; {WORDS}."),
        ("[cat:10]", f"'[cat:10]': ComfyUI does not change words during the steps; {WORDS}."),
        ("[cat::.5]", f"'[cat::.5]': ComfyUI does not change words during the steps; {WORDS}."),
        ("[(cat:1.2):0.5]", f"'[(cat:1.2):0.5]': ComfyUI does not change words during the steps; {WORDS}."),
        ("__hair-color__ hair", f"'__hair-color__': no wildcards are filled in; {WORDS}."),
        ("__colors/dark_*__", f"'__colors/dark_*__': no wildcards are filled in; {WORDS}."),
        ("a {red|blue} hat", f"'{{red|blue}}': only ComfyUI's editor chooses one of these; {WORDS}."),
        ("a {red|{dark|light} blue} hat", f"'{{red|{{dark|light}} blue}}': only ComfyUI's editor chooses one of these; {WORDS}."),
        ("{1|2}girls", f"'{{1|2}}': only ComfyUI's editor chooses one of these; {WORDS}."),
        ("{2$$a|b}", f"'{{2$$a|b}}': only ComfyUI's editor chooses one of these; {WORDS}."),
        ("embedding:nope", "'embedding:nope': no such embedding is installed, so ComfyUI leaves it out."),
        ("a, embedding:nope, b", "'embedding:nope': no such embedding is installed, so ComfyUI leaves it out."),
        ("(embedding:nope:1.2)", "'embedding:nope': no such embedding is installed, so ComfyUI leaves it out."),
        ("((a), embedding:nope)", "'embedding:nope': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:style/nope", "'embedding:style/nope': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding: nope", "'embedding:nope': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:old", "'embedding:old': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:easynegative.pt", "'embedding:easynegative.pt': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:EasyNegative", "'embedding:EasyNegative': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:style\\ink_v1.0", "'embedding:style\\ink_v1.0': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:a,embedding:b", "'embedding:a,embedding:b': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:easynegative.", "'embedding:easynegative.': no such embedding is installed, so ComfyUI leaves it out."),
        ("embedding:", "'embedding:': the name of an embedding is missing."),
        ("(embedding:)", "'embedding:': the name of an embedding is missing."),
        ("a cat,embedding:easynegative", f"'embedding:easynegative': write it in lower case, after a space; {WORDS}."),
        ("a Embedding:easynegative", f"'Embedding:easynegative': write it in lower case, after a space; {WORDS}."),
    ],
)  # fmt: skip
def test_what_is_not_read_as_it_is_meant_is_named(text: str, warning: str) -> None:
    assert warned(text) == [warning]


@pytest.mark.parametrize(
    "text",
    [
        "a knight and a dragon, band, ANDROID, SANDAL, Andes, breakfast, BREAKDANCE, Break dance",
        "WANTED DEAD AND ALIVE",
        "A CAT AND A DOG",
        "BREAK DANCE, hip hop",
        "R&B, rock-AND-roll",
        "(blue eyes:1.2), ((smile)), (a:0.5), \\(vocaloid\\), :) ;) :D",
        "[", "]", "a [ b", "[blurry], [[low quality]]", "[16:9]", "[]", "[:]", "[|]", "a | b", "[see: below]",
        "{", "{}", "{a}", "{|}", "{a: 1, b: 2}", "}a|b{",
        "\\[cat|dog\\]", "\\{cat|dog\\}",
        "__", "____", "a__b", "_a_", "__init", "snake__case__name", "^__^", "o__o",
        "<3", "< lora >", "a <b> c", "lora: 0.8", "<lora>", "<o>_<o>", "||_||", "->", "<lora:",
        "embeddings, word embeddings: many, myembedding:x, Embedding: a study",
        "embedding:easynegative", "embedding:easynegative.safetensors", "embedding:easynegative,",
        "(embedding:easynegative:1.2), b", "((embedding:easynegative))", "a\nembedding:easynegative",
        "embedding: easynegative", "embedding:./easynegative", "embedding:old.ckpt",
        "embedding:ink_v1.0, embedding:style/ink_v1.0, embedding:style/ink_v1.0.bin",
        "embedding:brush embedding:deep/brush embedding:style/deep/brush.safetensors",
        "embedding:easynegative<3", "embedding:easynegative[x]",
        "",
        "   ",
    ],
)  # fmt: skip
def test_what_comfyui_reads_as_it_is_meant_is_not_named(text: str) -> None:
    assert warned(text) == []


def test_every_thing_is_named_once_and_in_its_order() -> None:
    found = warned(
        "<lora:ink:0.8> AND {a|b} AND", None, "AND <lora:ink:0.5>, <lora:paint:1>", "embedding:no embedding:no"
    )
    assert [warning.split("'")[1] for warning in found] == [
        "<lora:ink:0.8>",
        "AND",
        "{a|b}",
        "<lora:paint:1>",
        "embedding:no",
    ]


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_names_are_compared_as_the_file_system_does(platform: str) -> None:
    assert warned("embedding:EasyNegative", platform=platform) == []


def test_both_separators_are_one_on_windows() -> None:
    installed = ("style\\Ink.PT",)
    for name in ("style/ink", "style\\ink", "ink", "STYLE\\INK.pt"):
        assert warned(f"embedding:{name}", embeddings=installed, platform="win32") == []


def test_nothing_is_said_of_embeddings_where_the_folder_could_not_be_read() -> None:
    assert warned("embedding:nope", embeddings=None) == []


def test_names_are_shortened_and_on_one_line() -> None:
    (warning,) = warned("<lora:" + "long\tname " * 15 + ":1>")
    name = warning.split("'")[1]
    assert name.startswith("<lora:long name long name")
    assert name.endswith("…")
    assert len(name) == 61


def test_the_list_is_bounded() -> None:
    found = warned(" ".join(f"<lora:x{number}:1>" for number in range(300)))
    assert len(found) == MOST + 1
    assert found[-1] == MORE


def test_a_retry_is_told_what_holds_now() -> None:
    texts = ["embedding:a embedding:b AND"]
    a, b, keyword = prompt_warnings(texts, ())
    told = ["Something else.", a, b, keyword]
    assert refresh_warnings(told, texts, ("a.pt",)) == ["Something else.", b, keyword]
    assert refresh_warnings(["Something else."], texts, ()) == told
    assert refresh_warnings(told, texts, None) == ["Something else.", a, b, keyword]


@given(st.text(alphabet="[]{}|:\\_<>()1a, \nANDlorembding", max_size=400))
def test_any_text_gets_a_bounded_list_of_different_sentences(text: str) -> None:
    found = warned(text, text)
    assert len(set(found)) == len(found) <= MOST + 1
    assert all("\n" not in one and len(one) < 200 for one in found)


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    for text in ("[" * 10_000, "[1:1" * 2_500 + "]" * 2_500, "__a" * 3_300, "<lora:" * 1_600, "embedding:" * 1_000):
        warned(text)  # pytest's own timeout bounds it
