"""The cache of embeddings, even after a crash."""

import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from IA.embedding import cache as embeddings
from IA.embedding.cache import HEADER, Embeddings, Keys, Vectors, key
from tests.examples import examples


def some(first: int, count: int, dimension: int = 4) -> tuple[Keys, Vectors]:
    """Keys from `first` on, spread over 64 bits, each with a vector that contains its number."""
    numbers = np.arange(first, first + count, dtype=np.uint64)
    return numbers * np.uint64(0x9E3779B97F4A7C15), np.repeat(numbers.astype(np.float32)[:, None], dimension, axis=1)


def test_what_was_stored_is_found_again(tmp_path: Path) -> None:
    """Vectors are found by key, in this process and the next, and a missing key has the row -1."""
    cache = Embeddings(tmp_path / "cache", 4)
    keys, vectors = some(1, 10)
    cache.append(keys[:7], vectors[:7])
    cache.append(keys[7:], vectors[7:])
    for opened in (cache, Embeddings(tmp_path / "cache", 4)):
        assert len(opened) == 10
        assert opened.rows(some(9, 3)[0]).tolist() == [8, 9, -1]
        assert np.array_equal(opened.vectors(opened.rows(keys[::-1])), vectors[::-1])


def test_an_empty_cache_answers(tmp_path: Path) -> None:
    """An empty cache finds nothing, and an empty request is no error."""
    cache = Embeddings(tmp_path, 4)
    cache.append(*some(1, 0))
    assert len(cache) == 0
    assert cache.rows(some(1, 2)[0]).tolist() == [-1, -1]
    assert cache.rows(np.zeros(0, np.uint64)).tolist() == []
    assert cache.vectors(np.zeros(0, np.int64)).shape == (0, 4)


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.integers(1, 40), max_size=12), st.booleans())
def test_any_appends_keep_every_vector(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], reopen: bool
) -> None:
    """Each key has its own vector, wherever chunks and restarts divide the appends."""
    directory = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embeddings, "CHUNK_ROWS", 16)
        cache = Embeddings(directory, 4)
        for number, size in enumerate(sizes):
            cache.append(*some(1 + sum(sizes[:number]), size))
            cache = Embeddings(directory, 4) if reopen else cache
        keys, vectors = some(1, sum(sizes))
        assert np.array_equal(cache.vectors(cache.rows(keys)), vectors)


def test_the_newest_vector_of_a_key_counts(tmp_path: Path) -> None:
    """Storing a key again replaces its vector, even after a restart."""
    keys, vectors = some(1, 3)
    cache = Embeddings(tmp_path, 4)
    cache.append(keys, vectors)
    cache.append(keys[1:2], vectors[1:2] + 5)
    for opened in (cache, Embeddings(tmp_path, 4)):
        assert opened.vectors(opened.rows(keys))[:, 0].tolist() == [1, 7, 3]


def test_a_crash_at_any_moment_leaves_no_wrong_vector(tmp_path: Path) -> None:
    """If the keys are cut off or zeroed anywhere, the remaining keys have their vectors, and appending goes on."""
    Embeddings(tmp_path / "a", 4).append(*some(1, 5))
    whole = (tmp_path / "a" / "keys").read_bytes()
    for length in range(HEADER.size, len(whole) + 1):
        for tail in (b"", bytes(len(whole) - length)):
            shutil.rmtree(tmp_path / "b", ignore_errors=True)
            shutil.copytree(tmp_path / "a", tmp_path / "b")
            stored = (length - HEADER.size) // 8
            kept = whole[: HEADER.size + 8 * stored] + bytes(len(tail)) if tail else whole[:length]
            (tmp_path / "b" / "keys").write_bytes(kept)
            cache = Embeddings(tmp_path / "b", 4)
            assert len(cache) == stored
            cache.append(*some(20, 2))
            keys, vectors = some(1, stored)
            assert np.array_equal(cache.vectors(cache.rows(keys)), vectors)
            assert cache.vectors(Embeddings(tmp_path / "b", 4).rows(some(20, 2)[0]))[:, 0].tolist() == [20, 21]


def test_a_full_disk_stores_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the keys cannot be synced, the append fails, and what it left does not confuse the next one."""
    cache = Embeddings(tmp_path, 4)
    cache.append(*some(1, 2))
    calls: list[int] = []
    sync = os.fsync

    def full(number: int) -> None:
        calls.append(number)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        sync(number)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        cache.append(*some(10, 5))
    cache.append(*some(20, 1))
    opened = Embeddings(tmp_path, 4)
    assert len(cache) == len(opened) == 3
    assert opened.rows(some(10, 5)[0]).tolist() == [-1] * 5
    assert opened.vectors(opened.rows(some(20, 1)[0]))[0, 0] == 20


@pytest.mark.parametrize("damage", ["foreign", "short", "dimension", "vectors"])
def test_a_damaged_cache_begins_anew(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """A foreign or corrupt cache gives one warning, and the cache begins empty."""
    Embeddings(tmp_path, 4).append(*some(1, 5))
    if damage == "foreign":
        (tmp_path / "keys").write_bytes(b"something else entirely, longer than the header")
    elif damage == "short":
        (tmp_path / "keys").write_bytes(b"IA")
    elif damage == "vectors":
        (tmp_path / "vectors").write_bytes(b"12345678")
    dimension = 5 if damage == "dimension" else 4
    with caplog.at_level(logging.WARNING):
        cache = Embeddings(tmp_path, dimension)
    assert len(caplog.records) == 1
    assert len(cache) == 0
    cache.append(*some(1, 3, dimension))
    assert len(Embeddings(tmp_path, dimension)) == 3


def test_what_float16_cannot_hold_is_clipped(tmp_path: Path) -> None:
    """Huge values and NaN are stored as finite values."""
    cache = Embeddings(tmp_path, 4)
    cache.append(some(1, 1)[0], np.array([[1e30, -np.inf, np.nan, 0.5]], np.float32))
    assert cache.vectors(np.array([0])).tolist() == [[65504.0, -65504.0, 0.0, 0.5]]


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    """Wrong shapes, a key of 0 and rows that do not exist raise an error."""
    cache = Embeddings(tmp_path, 4)
    keys, vectors = some(1, 3)
    with pytest.raises(ValueError, match="keys with"):
        cache.append(keys[:2], vectors)
    with pytest.raises(ValueError, match="a key is 0"):
        cache.append(np.zeros(3, np.uint64), vectors)
    cache.append(keys, vectors)
    for row in (-1, 3):
        with pytest.raises(IndexError):
            cache.vectors(np.array([row]))


def test_a_key_follows_path_size_and_time(images_folder: Path) -> None:
    """The same file has the same key; a touched, grown or moved file has another one; no key is 0."""
    path = images_folder / "red" / "0.png"
    keys = [key(images_folder, "red/0.png"), key(images_folder, "red/0.png")]
    os.utime(path, ns=(1, 1))
    keys.append(key(images_folder, "red/0.png"))
    path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, ns=(1, 1))
    keys.append(key(images_folder, "red/0.png"))
    path.rename(images_folder / "red" / "\udcff.png")
    keys.append(key(images_folder, "red/\udcff.png"))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert all(type(each) is int and 0 < each < 2**64 for each in keys)


@pytest.mark.parametrize("changed_s", [-(2**40), -11_644_473_600, -1, 0, 10_413_792_000, 2**40])
def test_any_time_of_change_gives_a_key(images_folder: Path, changed_s: int) -> None:
    """A file with any time has a key, such as NTFS's year 1601; a disk that cannot store a time stores the nearest."""
    path = images_folder / "red" / "0.png"
    before = key(images_folder, "red/0.png")
    os.utime(path, (changed_s, changed_s))
    found = key(images_folder, "red/0.png")
    assert found is not None
    assert 0 < found < 2**64
    assert found != before


def test_keys_stay_what_they_were(images_folder: Path) -> None:
    """The embeddings in a cache of an earlier version are found again, file by file."""
    path = images_folder / "red" / "0.png"
    path.write_bytes(bytes(1000))
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    assert key(images_folder, "red/0.png") == 12_057_042_661_665_530_453


@pytest.mark.parametrize("path", ["gone.png", "red/0.png/under", "a\0b.png"])
def test_no_file_no_key(images_folder: Path, path: str) -> None:
    """A file that does not exist has no key."""
    assert key(images_folder, path) is None
