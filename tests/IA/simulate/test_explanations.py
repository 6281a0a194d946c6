"""The measures of explanations: what is covered, where a photo is pasted, and that random maps are worse."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from IA.explanations.feature_maps import FeatureMaps
from IA.networks import build
from IA.simulate import explanations as command
from IA.simulate.explanations import METHODS, Network, covered, highest, is_on, localisation, main, pasted


@pytest.fixture
def network(tiny_network: str) -> Network:
    """The tiny network and its feature maps."""
    backbone = build(tiny_network)
    return Network(backbone, FeatureMaps(backbone))


def test_a_fifth_is_covered(network: Network) -> None:
    """The highest places of a map, and no others, get the mean colour."""
    shares = torch.arange(25.0).view(5, 5)
    assert highest(shares).nonzero().tolist() == [[4, column] for column in range(5)]
    image = torch.full((3, 50, 50), 9, dtype=torch.uint8)
    hidden = covered(image, highest(shares), network)
    assert (hidden[:, :40] == 9).all()
    assert (hidden[:, 40:] == 128).all()


def test_where_something_was_pasted() -> None:
    """A pasted photo lies in its box, and the highest place of a map is on it or not."""
    random = np.random.default_rng(0)
    behind, photo = (torch.full((3, 60, 100), value, dtype=torch.uint8) for value in (0, 200))
    for _ in range(20):
        image, (top, left, bottom, right) = pasted(behind, photo, random)
        assert (bottom - top, right - left) == (24, 40)
        assert (image[:, top:bottom, left:right] == 200).all()
        assert int((image > 0).sum()) == 3 * 24 * 40
    shares = torch.zeros(6, 10)
    shares[2, 3] = 1
    assert is_on(shares, (20, 30, 30, 40), (60, 100))
    assert not is_on(shares, (0, 30, 20, 40), (60, 100))


def test_the_map_finds_what_decides(
    tmp_path: Path, images_folder: Path, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If red pasted on blue is positive, and blue on blue negative, maps are highest on the red."""
    monkeypatch.setattr(command, "EXAMPLES", 20)
    monkeypatch.setattr(command, "TESTED", 20)
    red, blue = (sorted((images_folder / name).iterdir()) for name in ("red", "blue"))
    hits = localisation(network, red, blue, np.random.default_rng(0))
    assert hits["the map"] > 0.8
    assert hits["at random"] < 0.2


def test_the_command(
    tmp_path: Path,
    images_folder: Path,
    tiny_network: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command prints a line for each choice of covered places, and the share of objects found."""
    monkeypatch.setattr(command, "EXAMPLES", 5)
    monkeypatch.setattr(command, "TESTED", 5)
    given = ["--positive", "red", "--network", tiny_network, "--answers", "6", "--seeds", "2"]
    monkeypatch.setattr(sys, "argv", ["IA.simulate.explanations", str(images_folder), *given, "--cache", str(tmp_path)])
    main()
    printed = capsys.readouterr().out
    assert "deletion: probability" in printed
    for name in (*METHODS, "the map, lowest", "the middle", "at random"):
        assert printed.count(f"  {name} ") >= 1
    assert printed.splitlines()[-1].endswith("%")
