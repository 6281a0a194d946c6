"""The model card says what is known, and that the rest is not."""

import dataclasses

import torch

from IA.dataset import Preprocessing
from IA.exporting.card import card
from IA.exporting.evidence import Evidence, HeldOut
from IA.learning.head import Head
from IA.model import Checkpoint
from IA.statistics.audit import Division, Sample, ScreeningState

METRICS = {"accuracy": 0.9, "average_precision": 0.8, "loss": 0.3, "prequential_ece": 0.05, "fine_tuned_on": 512.0}
KNOWN = Evidence(
    networks=("efficientnet_lite0",),
    images=1000,
    positives=30,
    negatives=70,
    skipped=2,
    held_out=HeldOut((90, 100), (20, 25), (20, 30), 0.801, (0.7, 0.9)),
    standing=ScreeningState(28, Sample(900, 100, 1)),
    division=Division(28, Sample(100, 10, 1), Sample(800, 90, 0)),
)


def made(metrics: dict[str, float], known: Evidence | None, positive: str = "hat", tile: str = "") -> str:
    """The card of a predictor."""
    checkpoint = Checkpoint(
        network="efficientnet_lite0",
        backbone="f",
        preprocessing=Preprocessing(224, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        head=Head.empty(4, 2, 0),
        classes={"positive": positive, "negative": "no hat"},
        threshold=float(torch.tensor(0.25)),
        labels=100,
        metrics=metrics,
        generation=7,
        created="2024-05-06T07:08:09+00:00",
        tile=tile,
    )
    return card(checkpoint, "predictor.onnx", ".onnx", known)


def test_all_that_is_known_is_told() -> None:
    """The card has counts, intervals, prevalence, and where the predictor comes from."""
    text = made(METRICS, KNOWN)
    for part in (
        "# hat or no hat?",
        "30 hat, 70 no hat, 2 skipped, of 1,000 images",
        "fine-tuned on 512 of the answers",
        "| accuracy | 0.900 | 0.826 to 0.945 | 90 of 100 |",
        "| precision | 0.800 | 0.609 to 0.911 | 20 of 25 |",
        "| recall | 0.667 | 0.488 to 0.808 | 20 of 30 |",
        "| average precision | 0.801 | 0.700 to 0.900 | 100 answers |",
        "100 of which were drawn at random",
        "(95 % interval): 28 found in the model's order, and of 900 other images 100 drawn at random, 1 of them",
        "2024-05-06T07:08:09+00:00",
        "a probability of 0.25 or more",
    ):
        assert part in text
    low, high = KNOWN.standing.positives() if KNOWN.standing else (0, 0)
    assert f"{low} to {high} of 1,000 images, {low / 10:.2f} to {high / 10:.2f} %" in text


def test_what_is_not_known_is_not_told() -> None:
    """Without a run the card has no interval, with few answers no figures, and without an audit no prevalence."""
    alone = made(METRICS, None)
    assert "| accuracy | 0.900 | not known without the run directory |" in alone
    assert "There is no interval: not known without the run directory." in alone
    few = made({}, None)
    assert "Not known: it takes 5 answers of each kind" in few
    assert "not tuned" in few
    unaudited = made(METRICS, Evidence(("resnet50",), 1000, 30, 70, 2, None, None, None))
    assert "no image of the run was drawn at random" in unaudited
    assert "weights from resnet50" in unaudited


def test_of_tiles_tiles_and_photos_are_counted() -> None:
    """The card counts tiles and photos, and says that a photo has several tiles."""
    text = made(METRICS, dataclasses.replace(KNOWN, photos=42), tile="6x4")
    for part in (
        "**It has learnt tiles.** Every photo was cut into 6 x 4 tiles",
        "| answers learnt | 100 (tiles) |",
        "2 skipped, of 1,000 tiles of 42 photos |",
        "of 1,000 tiles of 42 photos, ",
        "of 900 other tiles 100 drawn at random",
        "A photo has 24 of them",
        "for column in range(6):",
    ):
        assert part in text
    assert "tile" not in made(METRICS, KNOWN)


def test_a_class_name_stays_text() -> None:
    """The name of a class cannot break the card, whatever letters it has."""
    text = made(METRICS, KNOWN, positive="hat | *cap*\n# <b>")
    assert text.startswith("# hat \\| \\*cap\\* \\# \\<b\\> or no hat?\n")
