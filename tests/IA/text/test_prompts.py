"""What a person looks for, in words, has one form; what has none is refused with a sentence."""

import argparse
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import Config, UsageError
from IA.text import arguments
from IA.text.prompts import MOST_CHARACTERS, checked_prompt, phrases

FORMS = {
    "a lynx at night": "a lynx at night",
    "  lynx ,, \tbobcat\n, ": "lynx, bobcat",
    "lynx,lynx, bobcat,lynx": "lynx, bobcat",
    "山猫\uff0c猞猁、狐": "山猫, 猞猁, 狐",
    "قطة، وشق": "قطة, وشق",
    "cafe\u0301": "caf\u00e9",
    "🐈‍⬛, 👩🏽‍🌾": "🐈‍⬛, 👩🏽‍🌾",
    "a\0b\x07c": "abc",
    "\u202eevil\u202c, \ufeff": "evil",
    "!?": "!?",
}
NOTHING = ["", " ", ",", " , ,\n", "\u200b", "\ufeff, \u2066", "\ufe0f"]


@pytest.mark.parametrize(("text", "prompt"), FORMS.items())
def test_one_form(text: str, prompt: str) -> None:
    """Blanks, commas of any script and control characters make no difference; letters stay as they are."""
    assert checked_prompt(text) == prompt
    assert checked_prompt(prompt) == prompt
    assert phrases(text) == prompt.split(", ")


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_is_looked_for(text: str) -> None:
    """Where nothing can be seen, there is no prompt and no phrase."""
    assert (checked_prompt(text), phrases(text)) == ("", [])


@given(st.text(max_size=200))
def test_any_text_has_one_form(text: str) -> None:
    """The form of a form is the same, and its phrases are those of the text."""
    try:
        prompt = checked_prompt(text)
    except ValueError as mistake:
        assert str(mistake).endswith(".")
        return
    assert checked_prompt(prompt) == prompt
    assert phrases(prompt) == phrases(text)
    assert ", ".join(phrases(text)) == prompt


def test_what_is_too_long_is_refused_with_what_to_do() -> None:
    """It is never cut: the person would not know which words count."""
    assert checked_prompt("x" * MOST_CHARACTERS + " " * 9000) == "x" * MOST_CHARACTERS
    with pytest.raises(ValueError, match=r"^The prompt has 10,000 characters; shorten it to 1,000 at most\.$"):
        checked_prompt("x" * 10_000)


def test_what_is_no_text_is_refused() -> None:
    """Bytes of a terminal that are no UTF-8 would fail in every file and page."""
    with pytest.raises(ValueError, match="no UTF-8 text"):
        checked_prompt(os.fsdecode(b"K\xe4fer"))


def test_on_the_command_line(tmp_path: Path) -> None:
    """The prompt reaches the settings in its one form, an empty one drops the run's, and mistakes are one sentence."""
    given = ["localhost", "8077", str(tmp_path)]
    assert Config.for_session(given).prompt is None
    assert Config.for_session([*given, "--prompt", " a  hat,,cap "]).prompt == "a hat, cap"
    assert Config.for_session([*given, "--prompt", ""]).prompt == ""
    with pytest.raises(UsageError, match=r"1,500 characters; shorten it to 1,000 at most; see .* --help\.$"):
        Config.for_session([*given, "--prompt", "x" * 1500])
    with pytest.raises(argparse.ArgumentTypeError, match=r"letters$"):
        arguments.prompt("\ud800")
