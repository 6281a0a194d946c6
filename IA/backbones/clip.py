"""Networks of open_clip (Radford et al. 2021; Ilharco et al. 2021), which have learnt images and texts together.

`open_clip:MODEL/PRETRAINED`: MODEL is a name of open_clip, PRETRAINED the name of its weights there, or a file. The
image tower embeds. The text tower is no part of the backbone: it puts texts into the same space.
"""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from config import UsageError
from IA.backbones.backbone import Built, TextEncoder
from IA.backbones.hub import not_waiting
from IA.backbones.weights import BAD_WEIGHTS, check_archive, check_finite, first_line
from IA.dataset import Preprocessing

log = logging.getLogger(__name__)

OPEN_CLIP = "open_clip:"
NO_TEXT = {"context_length": 1, "vocab_size": 1, "width": 8, "heads": 1, "layers": 1}  # a checkpoint has no texts


class ImageTower(nn.Module):
    """Images (B, 3, S, S) to embeddings (B, D) in the space that images and texts share."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, images: Tensor) -> Tensor:
        """The embeddings, not normalised."""
        embeddings = self.visual(images)
        first: Tensor = embeddings[0] if isinstance(embeddings, tuple) else embeddings  # CoCa gives tokens, too
        return first


def open_clip_network(name: str, pretrained: bool) -> Built:
    """The image tower, and with pretrained weights the text tower as `encode_text`.

    Raises:
        UsageError: open_clip is not installed, there is no such model or no such weights, or they do not fit.
        OSError, RuntimeError, ValueError: the weights cannot be loaded.
    """
    model, weights, known = _parts(name)
    options: dict[str, Any] = {"force_quick_gelu": bool(known.get("quick_gelu"))}  # as the weights were trained
    if not pretrained:
        return _built(_create(model, text_cfg=NO_TEXT, **options), name)
    if known:
        with not_waiting():
            return _loaded(_create(model, pretrained=weights, **options), model, name)
    file = Path(check_open_clip(name)).expanduser()
    try:
        check_archive(file)
        made = _create(model, pretrained=str(file), **options)
        check_finite(dict(made.named_parameters()))
    except BAD_WEIGHTS as error:
        raise UsageError(
            f"{file} holds no weights that fit {model} ({first_line(error)}); name another file."
        ) from error
    return _loaded(made, model, f"{OPEN_CLIP}{model}/{file.name}")


def check_open_clip(name: str) -> str:
    """See that open_clip has this model and these weights, or that there is such a file.

    Returns:
        The name of the weights, or the file.

    Raises:
        UsageError: there are none.
    """
    model, weights, known = _parts(name)
    if not known and not Path(weights).expanduser().is_file():
        import open_clip

        choice = ", ".join([*open_clip.list_pretrained_tags_by_model(model), "a file"])
        raise UsageError(f"{model} has no weights {weights!r}, and there is no such file; choose from: {choice}.")
    return weights


def _parts(name: str) -> tuple[str, str, dict[str, Any]]:
    """The model, its weights, and what open_clip knows of them; empty for a file of weights."""
    try:
        import open_clip
    except ImportError:
        raise UsageError(f"{name} takes another package: python -m pip install -e '.[clip]'.") from None
    model, _, weights = name.removeprefix(OPEN_CLIP).partition("/")
    if not weights or model not in open_clip.list_models():
        raise UsageError(
            f"There is no network {name!r}; name a model of open_clip and its weights, such as "
            f"{OPEN_CLIP}ViT-B-32/laion2b_s34b_b79k, or a file of weights: {OPEN_CLIP}ViT-B-32/FILE."
        )
    return model, weights, open_clip.get_pretrained_cfg(model, weights)


def _create(model: str, **options: Any) -> Any:
    """The whole network, of a class of open_clip."""
    import open_clip

    with _quiet():
        return open_clip.create_model(model, **options).eval()


def _loaded(whole: Any, model: str, name: str) -> Built:
    return _built(whole, name, _text_encoder(whole, model))


def _built(whole: Any, name: str, encode_text: TextEncoder | None = None) -> Built:
    seen = whole.visual.preprocess_cfg
    size = seen["size"]
    size_px = int(size if isinstance(size, int) else size[0])
    preprocessing = Preprocessing(size_px, tuple(seen["mean"]), tuple(seen["std"]))
    return Built(ImageTower(whole.visual), preprocessing, encode_text=encode_text, name=name)


def _text_encoder(whole: Any, model: str) -> TextEncoder | None:
    """Texts to unit vectors; None, and a warning, where the tokeniser of this model cannot be had."""
    import open_clip

    try:
        with _quiet():
            tokens_of = open_clip.get_tokenizer(model)
    except (*BAD_WEIGHTS, ImportError) as error:
        log.warning("%s embeds images, but reads no texts: its tokeniser is missing (%s)", model, first_line(error))
        return None

    def encode(texts: Sequence[str]) -> Tensor:
        with torch.inference_mode():
            vectors: Tensor = whole.encode_text(tokens_of(list(texts)), normalize=True)
        return vectors.float().cpu()

    return encode


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep out what open_clip writes into the root log and as warnings; what matters comes as an exception."""
    root, nowhere = logging.getLogger(), logging.NullHandler()
    root.addHandler(nowhere)  # otherwise open_clip sets up logging for the whole process
    root.addFilter(_is_ours)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(_is_ours)
        root.removeHandler(nowhere)


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name != "root"
