"""The files between the processes: what is written is read, and what cannot be is refused."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from IA.protocol import pickle_file
from IA.protocol.files import (
    ANNOTATIONS,
    DUPLICATES,
    EXPLANATIONS,
    FEATURES,
    FINE_TUNING,
    HELD_OUT,
    IMAGES,
    LAYOUT,
    NETWORKS,
    PREDICTIONS,
    RANKING,
    SCORES,
    SETTINGS,
    SIMILAR,
    WANTED,
)
from IA.protocol.records import Duplicates, Features, FineTuning, Networks, Predictions, Ranking, Scores, Settings
from IA.protocol.shown import Explanations, Layout, Similar, Wanted

RECORDS = Path(__file__).parents[2] / "data" / "records"
FLOATS = np.array([0.5, np.nan], np.float32)
INTS = np.array([4], np.int32)
EXPLAINED = Explanations(
    3,
    np.array([4, 0], np.int32),
    np.array([1, 2, 0, 0], np.int32),
    np.array([-127, 5], np.int8),
    np.array([3, 2, -1, 1, -1, -1] * 2, np.int32),
    np.array([1, 0.5, 0, -0.5, 0, 0] * 2, np.float32),
)
SIMILAR_TO_IT = Similar("1d", np.array([4, 0], np.int32), np.array([1, -0.5], np.float32))
FEATURES_OF_IT = Features(
    "f" * 16,
    2,
    np.zeros(3, np.float32),
    np.zeros(6, np.float32),
    True,
    np.arange(2, dtype=np.int32),
    np.zeros(4, np.float32),
)
SCORED = Predictions(FLOATS, FLOATS, np.array([1], np.int32), 2, 1, None)
EXAMPLES: list[tuple[pickle_file.PickleFile[Any], Any]] = [
    (SETTINGS, Settings("/data", "tiny", "max_prob", "hat", "no hat", "1d")),
    (IMAGES, ["a.jpg", "späte\nÜbung.png", "\udcff.jpg"]),
    (ANNOTATIONS, {"a.jpg": True, "b.jpg": False, "c.jpg": None}),
    (FINE_TUNING, FineTuning("f" * 16, 500, 0.5, 0.75, 0.9, True)),
    (HELD_OUT, {"a.jpg": 0.25, "\udcff.jpg": 1.0}),
    (DUPLICATES, Duplicates(np.array([0, 0, 2], np.int32))),
    (FEATURES, FEATURES_OF_IT),
    (PREDICTIONS, SCORED),
    (PREDICTIONS, Predictions(FLOATS, FLOATS, np.array([1], np.int32), 2, 1, None, 0, FLOATS)),
    (RANKING, Ranking(np.array([1, 0], np.int32), FLOATS, 7, "entropy", 3)),
    (EXPLANATIONS, EXPLAINED),
    (WANTED, Wanted(3, "1d")),
    (SIMILAR, SIMILAR_TO_IT),
    (WANTED, Wanted(None, "1e", "a lynx, ein Luchs")),
    (SIMILAR, dataclasses.replace(SIMILAR_TO_IT, classes=["lynx", "tiger cat"], note="By words alone.")),
    (SCORES, Scores(np.array([0, 4], np.int32), np.array([-3, 0.5], np.float32))),
    (NETWORKS, Networks("a,b", "a", "b", 3, 12, False, "b: 25 % read, takes over if it is better.")),
    (LAYOUT, Layout(FLOATS, FLOATS, "pca")),
]


@pytest.mark.parametrize(
    "wrong", [{"images": np.array([4, 0], np.int32)}, {"scores": np.array([0, np.nan], np.float32)}, {"images": INTS}]
)
def test_scores_fit_their_images(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Images out of order or twice, scores that are no numbers, and more scores than images are refused."""
    scores = Scores(np.array([0, 4], np.int32), np.array([-3, 0.5], np.float32))
    pickle_file.publish(tmp_path, SCORES, dataclasses.replace(scores, **wrong))
    with pytest.raises(ValueError, match=r"scores\.pickle"):
        pickle_file.read(tmp_path, SCORES)


@pytest.mark.parametrize("wrong", [{"x": np.array([0.5, 1.5], np.float32)}, {"y": np.array([0.5], np.float32)}])
def test_a_layout_has_a_place_for_each_image(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """A layout is refused if a place is off the map, or if an image has half a place."""
    pickle_file.publish(tmp_path, LAYOUT, dataclasses.replace(Layout(FLOATS, FLOATS, "pca"), **wrong))
    with pytest.raises(ValueError, match=r"layout\.pickle"):
        pickle_file.read(tmp_path, LAYOUT)


@pytest.mark.parametrize("stored", sorted(RECORDS.glob("*.pickle")), ids=lambda path: path.stem)
def test_files_of_earlier_versions_are_read_and_written_alike(tmp_path: Path, stored: Path) -> None:
    """A file of the version before is read as what it was, and is written again byte for byte."""
    name, number = stored.stem.split("-")
    file, content = [example for example in EXAMPLES if example[0].name == f"{name}.pickle"][int(number) - 1]
    (tmp_path / file.name).write_bytes(stored.read_bytes())
    version = pickle_file.read(tmp_path, file)
    assert file.pack(version.content) == file.pack(content)
    (tmp_path / file.name).unlink()
    pickle_file.publish(tmp_path, file, version.content)
    assert (tmp_path / file.name).read_bytes() == stored.read_bytes()


def test_a_field_that_an_earlier_version_did_not_write_means_what_was_true_then(tmp_path: Path) -> None:
    """Features without a sample, and predictions without a prior, are read as having none."""
    examples: list[tuple[pickle_file.PickleFile[Any], Any, tuple[str, ...]]] = [
        (FEATURES, FEATURES_OF_IT, ("sampled", "sample")),
        (PREDICTIONS, SCORED, ("prior",)),
    ]
    for file, content, later in examples:
        old = {name: value for name, value in content.pack().items() if name not in later}
        pickle_file.publish(tmp_path, pickle_file.PickleFile[Any](file.name, dict, dict), old)
        read = pickle_file.read(tmp_path, file).content
        assert [len(getattr(read, name)) for name in later] == [0] * len(later)


@pytest.mark.parametrize(
    "wrong",
    [
        {"request": 3},
        {"images": np.array([4], np.int32)},
        {"images": np.array([4, -1], np.int32)},
        {"scores": np.array([0, np.inf], np.float32)},
        {"scores": np.array([0, np.nan], np.float32)},
        {"classes": [3]},
        {"images": np.zeros(201, np.int32), "scores": np.zeros(201, np.float32)},
    ],
)
def test_what_is_similar_fits_together(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Wrong numbers of images, wrong scores, and more images than allowed are refused."""
    pickle_file.publish(tmp_path, SIMILAR, dataclasses.replace(SIMILAR_TO_IT, **wrong))
    with pytest.raises(ValueError, match=r"similar\.pickle"):
        pickle_file.read(tmp_path, SIMILAR)


@pytest.mark.parametrize("prior", [[0.5], [0.5, np.inf]])
def test_a_prior_is_a_number_for_each_image(tmp_path: Path, prior: list[float]) -> None:
    """Predictions are refused if their prior has more or fewer numbers than there are images, or an infinite one."""
    wrong = Predictions(FLOATS, FLOATS, np.array([1], np.int32), 2, 1, None, 0, np.array(prior, np.float32))
    pickle_file.publish(tmp_path, PREDICTIONS, wrong)
    with pytest.raises(ValueError, match=r"predictions\.pickle"):
        pickle_file.read(tmp_path, PREDICTIONS)


@pytest.mark.parametrize("first", [[1, 2, 2], [0, 3], [-1], [0] * 101])
def test_groups_of_duplicates_stand_by_one_of_them(tmp_path: Path, first: list[int]) -> None:
    """A chain, an image that is not there, and a group with too many images are refused."""
    pickle_file.publish(tmp_path, DUPLICATES, Duplicates(np.array(first, np.int32)))
    with pytest.raises(ValueError, match=r"duplicates\.pickle"):
        pickle_file.read(tmp_path, DUPLICATES)


@pytest.mark.parametrize(("file", "content"), EXAMPLES, ids=[file.name for file, _ in EXAMPLES])
def test_round_trip(tmp_path: Path, file: pickle_file.PickleFile[Any], content: object) -> None:
    """What is published is what is read, and generations count up."""
    assert pickle_file.publish(tmp_path, file, content) == 1
    assert pickle_file.publish(tmp_path, file, content) == 2
    version = pickle_file.read(tmp_path, file)
    assert version.generation == 2
    assert file.pack(version.content) == file.pack(content)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("content", [[], {"a": 1}, {"a": 1.5}, {"a": float("nan")}, {1: 0.5}, {"a": None}])
def test_held_out_figures_are_probabilities(tmp_path: Path, content: object) -> None:
    """Held-out figures that are not path: probability do not load."""
    foreign = pickle_file.PickleFile[Any](HELD_OUT.name, pack=lambda content: content, unpack=lambda content: content)
    pickle_file.publish(tmp_path, foreign, content)
    with pytest.raises(ValueError, match="is not a good"):
        pickle_file.read(tmp_path, HELD_OUT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"checkpoint": -1},
        {"images": np.array([4, -1], np.int32)},
        {"images": np.array([4], np.int32)},
        {"shapes": np.array([2, 2, 0, 0], np.int32)},
        {"shapes": np.array([-1, -2, 0, 0], np.int32)},
        {"shapes": np.array([1, 2], np.int32)},
        {"maps": np.array([-128, 5], np.int8)},
        {"neighbours": np.array([-2] * 12, np.int32)},
        {"neighbours": np.array([3] * 11, np.int32)},
        {"similarity": np.array([np.nan] * 12, np.float32)},
        {"similarity": np.array([1.5] * 12, np.float32)},
    ],
    ids=str,
)
def test_explanations_fit_together(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """Explanations are refused if their parts do not fit each other or hold impossible values."""
    pickle_file.publish(tmp_path, EXPLANATIONS, dataclasses.replace(EXPLAINED, **wrong))
    with pytest.raises(ValueError, match="is not a good"):
        pickle_file.read(tmp_path, EXPLANATIONS)
