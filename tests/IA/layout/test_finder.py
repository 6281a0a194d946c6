"""The layout of a pool: at once, while images come, over restarts, for another backbone, and by t-SNE."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from IA.embedding.cache import Embeddings
from IA.layout import finder as finder_module
from IA.layout import fitting
from IA.layout.finder import LayoutFinder
from IA.layout.fitting import Fitting
from IA.layout.maps import Floats
from IA.layout.tsne import is_installed
from IA.pool.pool import Pool
from IA.protocol import pickle_file
from IA.protocol.files import LAYOUT
from IA.protocol.shown import Layout
from tests.IA.layout.test_maps import crowds, together
from tests.serving import until

DIMENSION = 16
needs_tsne = pytest.mark.skipif(not is_installed(), reason="the extra `map` is not installed")


class Folder:
    """A pool whose images are embedded by hand, and what finds their layout."""

    def __init__(self, place: Path) -> None:
        self.run, self.data = place / "run", place / "data"
        self.run.mkdir()
        self.data.mkdir()
        self.pool = Pool(Embeddings(place / "cache", DIMENSION))
        self.finder = LayoutFinder(self.run)
        self.names: list[str] = []

    def come(self, images: int) -> None:
        """Let so many images come that are not embedded yet."""
        for _ in range(images):
            self.names.append(f"{len(self.names):04}.jpg")
            (self.data / self.names[-1]).write_bytes(b"a")
        self.pool.follow(self.data, self.names)

    def embed(self, vectors: Floats) -> None:
        """Embed the next images."""
        missing = self.pool.missing()[: len(vectors)]
        self.pool.add(missing, vectors)
        if self.pool.view is None:
            self.pool.enter(self.pool.space(1000))

    def settle(self, backbone: str = "b", embeds: bool = False) -> Layout:
        """Take turns until there is nothing to do at once; what is published then."""
        until(lambda: not self.finder.turn(self.pool, backbone, embeds, lambda: False))
        return pickle_file.read(self.run, LAYOUT).content

    def restart(self) -> None:
        """Begin anew with what is published."""
        self.finder.close()
        self.finder = LayoutFinder(self.run)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    """No images."""
    folder = Folder(tmp_path)
    yield folder
    folder.finder.close()


def placed(layout: Layout) -> Floats:
    """The places of a layout, (N, 2)."""
    return np.stack([np.asarray(layout.x), np.asarray(layout.y)], axis=1)


def test_embedded_images_have_places(folder: Folder) -> None:
    """Images of a crowd lie together; an image that is not embedded has no place."""
    folder.come(120)
    folder.embed(crowds(100))
    layout = folder.settle()
    assert (layout.method, layout.backbone, layout.images) == ("pca", "b", 100)
    assert together(placed(layout)[:100]) > 0.95
    assert np.isnan(placed(layout)[100:]).all()


def test_new_images_move_no_others(folder: Folder) -> None:
    """A few images that come later get places among the others, which stay where they are."""
    folder.come(100)
    folder.embed(crowds(100))
    before = placed(folder.settle())
    folder.come(20)
    folder.embed(crowds(20, seed=1))
    after = placed(folder.settle())
    assert (after[:100] == before).all()
    assert together(after) > 0.95


def test_many_new_images_make_another_layout(folder: Folder) -> None:
    """With half as many images again everything is laid out anew, but not turned or mirrored."""
    folder.come(100)
    folder.embed(crowds(100))
    before = placed(folder.settle())
    folder.come(60)
    folder.embed(crowds(60, seed=1))
    layout = folder.settle()
    assert layout.images == 160
    for axis in (0, 1):
        assert np.corrcoef(placed(layout)[:100, axis], before[:, axis])[0, 1] > 0.8


def test_a_restart_keeps_the_places(folder: Folder) -> None:
    """After a restart all images lie where they were, also new ones among them."""
    folder.come(100)
    folder.embed(crowds(100))
    before = placed(folder.settle())
    folder.restart()
    folder.come(4)
    folder.embed(crowds(4, seed=1))
    after = placed(folder.settle())
    assert (after[:100] == before).all()
    assert np.isfinite(after[100:]).all()
    assert together(after) > 0.95


def test_another_backbone_is_laid_out_anew(folder: Folder) -> None:
    """The layout follows the backbone."""
    folder.come(60)
    folder.embed(crowds(60))
    assert folder.settle().backbone == "b"
    layout = folder.settle("another")
    assert (layout.backbone, layout.images) == ("another", 60)


def test_an_image_that_changes_is_placed_anew(folder: Folder) -> None:
    """An image whose file has changed lies where its new content belongs."""
    folder.come(80)
    folder.embed(crowds(80))
    before = placed(folder.settle())
    (folder.data / folder.names[0]).write_bytes(b"other content")
    folder.pool.follow(folder.data, folder.names)
    assert np.isnan(placed(folder.settle())[0]).all()
    folder.embed(crowds(2)[1:])  # of another crowd
    after = placed(folder.settle())
    assert (after[1:] == before[1:]).all()
    assert np.linalg.norm(after[0] - after[1]) < 0.2 < np.linalg.norm(after[0] - before[0])


def test_a_layout_appears_while_images_keep_coming(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another layout waits for the images that were there when it began, and not for those that come meanwhile."""
    folder.come(600)
    folder.embed(crowds(40))
    assert folder.settle(embeds=True).images == 40
    monkeypatch.setattr(finder_module, "PUBLISH_EVERY_S", 0.0)
    for seed in range(130):
        folder.embed(crowds(4, seed))
        folder.finder.turn(folder.pool, "b", True, lambda: False)
        if pickle_file.read(folder.run, LAYOUT).content.images > 40:
            break
    else:
        pytest.fail("the layout did not change while images came")


def test_nothing_is_begun_while_there_is_news(folder: Folder) -> None:
    """A turn that comes upon news leaves everything to the next one."""
    folder.come(60)
    folder.embed(crowds(60))
    assert not folder.finder.turn(folder.pool, "b", False, lambda: True)
    assert not (folder.run / LAYOUT.name).exists()


@pytest.mark.slow
@needs_tsne
def test_tsne_takes_over_and_places_the_others(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once all images are embedded t-SNE lays out a sample, the other images go to their neighbours in it."""
    monkeypatch.setattr(finder_module, "SAMPLE", 250)
    folder.come(400)
    folder.embed(crowds(400))
    assert folder.settle(embeds=True).method == "pca"
    layout = _by_tsne(folder)
    assert layout.images == 400
    assert np.isfinite(placed(layout)).all()
    assert together(placed(layout)) > 0.95
    folder.restart()
    folder.come(10)
    folder.embed(crowds(10, seed=1))
    after = folder.settle()
    assert after.method == "tsne"
    assert (placed(after)[:400] == placed(layout)).all()
    assert together(placed(after)) > 0.95


@needs_tsne
def test_a_computation_that_fails_leaves_the_last_layout(
    folder: Folder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the process that lays out fails, one warning says so, and it is not tried again at once."""
    monkeypatch.setitem(fitting.ONE_THREAD, "PYTHONHOME", "/nowhere")  # no Python can start so
    folder.come(300)
    folder.embed(crowds(300))
    folder.settle()
    until(lambda: not folder.finder.turn(folder.pool, "b", False, lambda: False) and caplog.records)
    assert folder.settle().method == "pca"
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


@needs_tsne
def test_a_computation_ends_with_its_owner(tmp_path: Path) -> None:
    """Closing ends the process and removes its files."""
    vectors = crowds(250)
    computation = Fitting(tmp_path / "layout", np.arange(250), vectors, vectors[:, :2].copy())
    assert computation.is_running
    computation.close()
    assert not computation.is_running
    assert not (tmp_path / "layout").exists()


def _by_tsne(folder: Folder) -> Layout:
    def is_there() -> bool:
        folder.finder.turn(folder.pool, "b", False, lambda: False)
        return pickle_file.read(folder.run, LAYOUT).content.method == "tsne"

    ends_s = time.monotonic() + 120
    while not is_there():
        assert time.monotonic() < ends_s
        os.sched_yield()
    return pickle_file.read(folder.run, LAYOUT).content
