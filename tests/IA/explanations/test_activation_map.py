"""Activation maps: the closed form against autograd, the sum of a map, and which networks have one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from IA.dataset import Preprocessing, load_with_box
from IA.explanations.activation_map import ProjectedFeatureMap, activation_map, over_picture, score_gradient
from IA.explanations.feature_maps import FeatureMaps, SetAside
from IA.learning.head import KERNEL_ANSWERS, Head
from IA.learning.projection import Projection
from IA.networks import build, register

WHOLE = (0.0, 0.0, 1.0, 1.0)


def learnt(answers: int, is_root: bool) -> tuple[Head, Tensor]:
    """A head on random embeddings of 12 values, and a feature map (12, 3, 4) that it has not seen."""
    noise = torch.Generator().manual_seed(answers)
    vectors = torch.randn(answers, 12, generator=noise)
    features = torch.randn(12, 3, 4, generator=noise)
    if is_root:
        vectors, features = vectors.abs(), features.relu()
        features[3] = 0  # the root of a feature that is 0 everywhere has no derivative
    labels = vectors[:, 0] + vectors[:, 1] > vectors[:, :2].sum(1).median()
    space = Projection.from_vectors(vectors, components=8)
    assert space.root_transform == is_root
    return Head.fit(space.project(vectors), labels, space), features


@pytest.mark.parametrize("is_root", [False, True])
@pytest.mark.parametrize("answers", [40, KERNEL_ANSWERS + 1])
def test_closed_form_is_the_gradient(answers: int, is_root: bool) -> None:
    """For the kernel and the linear head, with and without the root transform, the map is autograd's less its mean."""
    head, features = learnt(answers, is_root)
    embedding = features.mean(dim=(1, 2)).requires_grad_()
    (gradient,) = torch.autograd.grad(head.scores(head.project(embedding[None]))[0], embedding)
    expected = torch.einsum("d,dhw->hw", gradient.nan_to_num(0.0, 0.0, 0.0), features)
    shares = activation_map(head, ProjectedFeatureMap.from_features(features, head.space))
    assert shares == pytest.approx(expected - expected.mean(), abs=1e-4)
    assert float(shares.abs().max()) > 0.01


@pytest.mark.parametrize("is_root", [False, True])
def test_a_map_predicts_what_a_change_does(is_root: bool) -> None:
    """Strengthening the features of a place changes the score by its share in the map and a constant."""
    head, features = learnt(40, is_root)
    places = ProjectedFeatureMap.from_features(features, head.space)
    shares = torch.einsum("k,khw->hw", score_gradient(head, places.whole), places.parts)
    assert float(activation_map(head, places).mean()) == pytest.approx(0, abs=1e-6)

    def score(of: Tensor) -> float:
        return float(head.scores(head.project(of.mean(dim=(1, 2))[None]))[0])

    for row, column in ((0, 0), (1, 2), (2, 3)):
        more = features.clone()
        more[:, row, column] *= 1.01
        change = (score(more) - score(features)) * features[0].numel() / 0.01
        assert change == pytest.approx(float(shares[row, column]), rel=0.05, abs=0.02)


def hooks_of(module: nn.Module) -> list[dict[str, int]]:
    """How many hooks of each kind every layer has."""
    return [
        {name: len(value) for name, value in vars(layer).items() if "hook" in name and isinstance(value, dict)}
        for layer in module.modules()
    ]


def test_feature_maps_are_what_the_embedding_is_the_mean_of(tiny_network: str) -> None:
    """The layer whose mean is the embedding is found, for images of any shape."""
    backbone = build(tiny_network)
    maps, before = FeatureMaps(backbone), hooks_of(backbone.module)
    for height, width in ((32, 32), (32, 64)):
        image = torch.randint(256, (3, height, width), dtype=torch.uint8)
        features = maps.feature_map(image)
        assert features is not None
        assert features.shape[0] == backbone.dimension
        assert features.shape[1] * features.shape[2] > 1
    assert hooks_of(backbone.module) == before


def test_no_map_rather_than_a_wrong_one() -> None:
    """A network that does more than take the mean after its last feature map has no map."""

    @register("tiny and more")
    def build_it(_: bool) -> tuple[nn.Module, Preprocessing]:
        layers = nn.Conv2d(3, 8, 3, stride=3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 8)
        return nn.Sequential(*layers), Preprocessing(32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))

    maps = FeatureMaps(build("tiny and more"))
    image = torch.randint(256, (3, 32, 32), dtype=torch.uint8)
    assert maps.feature_map(image) is None
    assert maps.feature_map(image) is None


def test_set_aside_between_two_layers(tiny_network: str) -> None:
    """When something urgent comes, no further layer is computed, and the network keeps no hooks."""
    backbone = build(tiny_network)
    asked: list[None] = []
    before = hooks_of(backbone.module)

    def is_urgent() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(SetAside):
        FeatureMaps(backbone).feature_map(torch.zeros(3, 32, 32, dtype=torch.uint8), is_urgent)
    assert len(asked) == 3
    assert hooks_of(backbone.module) == before


@pytest.mark.parametrize("resize", ["area", "letterbox", "crop"])
@pytest.mark.parametrize("size", [(300, 100), (100, 300), (150, 110), (600, 60)])
def test_maps_lie_over_the_upright_picture(tmp_path: Path, resize: str, size: tuple[int, int]) -> None:
    """A bright place of the picture is bright in the map, whatever was padded or cut off."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = int(height * 0.5), int(width * 0.5)
    side = min(height, width) // 8 + 4
    pixels[top : top + side, left : left + side] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    preprocessing = Preprocessing(128, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), resize)
    image, box = load_with_box(tmp_path / "a.png", preprocessing)
    shares = over_picture(image[0].float(), box, most=64)
    middles = (
        (torch.arange(shares.shape[0]) + 0.5) / shares.shape[0],
        (torch.arange(shares.shape[1]) + 0.5) / shares.shape[1],
    )
    found = [float((shares.sum(1 - axis) * middles[axis]).sum() / shares.sum()) for axis in (0, 1)]
    expected = [(top + side / 2) / height, (left + side / 2) / width]
    assert found == pytest.approx(expected, abs=0.03)


def test_what_was_cut_off_says_nothing() -> None:
    """A cropped map lies in the middle of a wide picture, with zeros on both sides."""
    shares = over_picture(torch.ones(4, 4), (0.0, 0.25, 1.0, 0.75), most=64)
    assert shares.tolist() == [[0, 0, 1, 1, 1, 1, 0, 0]] * 4
    assert over_picture(torch.eye(3), WHOLE, most=64) == pytest.approx(torch.eye(3), abs=1e-6)
    assert over_picture(torch.ones(100, 10), WHOLE, most=64).shape == (64, 10)
