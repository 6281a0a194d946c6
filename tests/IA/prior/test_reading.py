"""What the words of a prompt lead to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from IA.prior import reading
from IA.prior.known_classes import known_classes
from IA.prior.reading import FAR, SHOWN, UNKNOWN, WITHOUT_ENCODER, PromptReader
from IA.prior.sentences import CLASSES, SentenceEncoder, sentence_encoder
from tests.IA.prior.test_sentences import encoder, needs_english

__all__ = ["encoder"]

ODD = ["🐈‍⬛", "قطة سوداء في الليل", "山猫", "ätsch!?", "x", "lynx " * 200, "a, of, the"]


@pytest.fixture
def reader(encoder: SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PromptReader:
    """A reader with the encoder of English."""
    monkeypatch.setattr(reading, "sentence_encoder", lambda: encoder)
    return PromptReader(tmp_path)


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PromptReader:
    """A reader without an encoder."""
    monkeypatch.setattr(reading, "sentence_encoder", lambda: None)
    return PromptReader(tmp_path)


# --- with an encoder --------------------------------------------------------------------------------------------------


@needs_english
@pytest.mark.parametrize(("prompt", "name"), [("lynx", "lynx"), ("a tea pot on a table", "teapot"), ("bike", "bike")])
def test_words_lead_to_classes(reader: PromptReader, prompt: str, name: str) -> None:
    """The class that is meant counts most or nearly so, and few classes are named."""
    found = reader.read(prompt)
    assert found.weights is not None
    assert found.weights.shape == (1000,)
    assert found.weights.sum() == pytest.approx(1, abs=1e-4)
    assert any(name in each for each in found.classes[:3])
    assert 0 < len(found.classes) <= SHOWN
    assert found.note == ""


@needs_english
def test_misspelt_words_are_read_as_others(reader: PromptReader) -> None:
    """The classes are those of the word that was meant, and a sentence says how it was read."""
    found = reader.read("girafe")
    assert found.phrases == ["giraffe"]
    assert found.note == "Read “girafe” as “giraffe”."
    np.testing.assert_array_equal(found.weights, reader.read("giraffe").weights)


@needs_english
def test_phrases_are_alternatives(reader: PromptReader) -> None:
    """Each of two phrases counts half, so that the best classes of both are named."""
    found = reader.read("teapot, lynx")
    assert {"teapot", "lynx"} <= set(found.classes)
    alone = [reader.read(each).weights for each in ("teapot", "lynx")]
    assert found.weights == pytest.approx((alone[0] + alone[1]) / 2, abs=0.01)  # type: ignore[operator]


@needs_english
def test_words_that_are_far_from_every_class(reader: PromptReader) -> None:
    """One sentence says that the order may not help."""
    assert FAR.format(hint=", in English") in reader.read("qzxv wrglpf").note


@needs_english
@pytest.mark.parametrize("prompt", ODD)
def test_odd_prompts(reader: PromptReader, prompt: str) -> None:
    """Whatever the words, the weights are finite, and a note is made of whole sentences."""
    found = reader.read(prompt)
    assert found.weights is not None and np.isfinite(found.weights).all()
    assert not found.note or found.note.endswith(".")


@needs_english
def test_the_same_words_are_read_once(reader: PromptReader) -> None:
    """A prompt that was read before costs nothing."""
    assert reader.read("lynx") is reader.read("lynx")


# --- the encoded classes ----------------------------------------------------------------------------------------------


class Counting:
    """An encoder with two directions, which counts the texts that it encodes."""

    def __init__(self) -> None:
        self.encoded = 0

    def passages(self, texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """One direction for lynxes, another for all others."""
        self.encoded += len(texts)
        return np.array([[1, 0] if "lynx" in text else [0, 1] for text in texts], np.float32)

    @property
    def encoder(self) -> SentenceEncoder:
        """An encoder that comes without the classes."""
        return SentenceEncoder("counting", 20.0, 0.4, self.passages, self.passages)


@pytest.mark.parametrize("damage", [None, b"", b"no array", "short", "nan"])
def test_classes_are_encoded_once_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | str | None
) -> None:
    """The second reader takes them from the run's cache; where that is damaged, it encodes them again."""
    counting = Counting()
    monkeypatch.setattr(reading, "sentence_encoder", lambda: counting.encoder)
    first = PromptReader(tmp_path / "new").read("lynx")
    assert first.classes and all(
        "lynx" in known_classes().descriptions[place]
        for place in np.flatnonzero(
            first.weights > 0.01  # type: ignore[operator]
        )
    )
    encoded, (kept,) = counting.encoded, (tmp_path / "new").iterdir()
    if isinstance(damage, bytes):
        kept.write_bytes(damage)
    elif damage:
        np.save(kept, np.zeros((3, 2)) if damage == "short" else np.full((1000, 2), np.nan))
    second = PromptReader(tmp_path / "new").read("lynx")
    np.testing.assert_allclose(second.weights, first.weights)  # type: ignore[arg-type]
    assert counting.encoded - encoded == (1 if damage is None else 1001)


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is kept, and the prompt is read all the same."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(reading, "sentence_encoder", lambda: Counting().encoder)
    assert PromptReader(tmp_path / "file").read("lynx").classes


@needs_english
def test_the_classes_of_english_come_with_the_program(reader: PromptReader, tmp_path: Path) -> None:
    """Nothing is written into the run's cache."""
    assert CLASSES.is_file()
    assert reader.read("lynx").classes
    assert list(tmp_path.iterdir()) == []


# --- without an encoder -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "name"), [("lynx", "lynx"), ("two teapots", "teapot"), ("wolves", "timber wolf"), ("a SARONG", "sarong")]
)
def test_words_alone(plain: PromptReader, prompt: str, name: str) -> None:
    """Classes with the word in their name count, in any number, and a sentence says that only words count."""
    found = plain.read(prompt)
    assert name in found.classes
    assert found.weights is not None and found.weights.sum() == pytest.approx(1, abs=1e-5)
    assert found.note == WITHOUT_ENCODER


def test_names_count_more_than_definitions(plain: PromptReader) -> None:
    """Each class with the word in its definition alone counts less than one with it in its name."""
    found = plain.read("cat")
    assert found.weights is not None
    parts = [description.partition(":") for description in known_classes().descriptions]
    named = np.array(["cat" in names.replace(",", " ").split() for names, _, _ in parts])
    counts = found.weights > 0
    assert named.any() and (counts & ~named).any()
    assert found.weights[named].min() > found.weights[counts & ~named].max()


def test_misspelt_words_alone(plain: PromptReader) -> None:
    """They are mended without an encoder too, and said."""
    assert plain.read("toucann").note == f"{WITHOUT_ENCODER} Read “toucann” as “toucan”."


@pytest.mark.parametrize("prompt", ODD)
def test_odd_prompts_alone(plain: PromptReader, prompt: str) -> None:
    """What no class has leads nowhere, in one sentence, and never to an exception; idle words alone are nothing."""
    found = plain.read(prompt)
    assert (found.weights is None) == (UNKNOWN in found.note) == (found.classes == [])
    assert "lynx" in prompt or found.weights is None


def test_the_reader_takes_the_encoder_that_is_installed(tmp_path: Path) -> None:
    """With an encoder, no sentence says that there is none."""
    is_installed = sentence_encoder() is not None
    assert (WITHOUT_ENCODER in PromptReader(tmp_path).read("lynx").note) != is_installed
