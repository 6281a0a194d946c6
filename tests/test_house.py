"""The rules of size and name that keep the code readable: for files, classes, folders and names of classes."""

import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from config import ROOT

MOST_LINES = 350
MOST_METHODS = 25
MOST_FILES = 14  # A folder may hold so many files, not counting its sub-folders.
PRODUCT = ("config.py", "IA", "backend", "reactcode/src")
SOURCES = {".py", ".ts", ".tsx"}
PATCHES = {"setattr", "delattr"}
PAGE_CLASS = re.compile(r"^(?:export )?class (\w+)", re.MULTILINE)
GENERATED = {"wire.ts"}  # in reactcode/src/api, made from openapi.json


def sources(*places: str) -> Iterator[Path]:
    """The hand-written source files below these places, without the tests of the page."""
    for place in places:
        if (ROOT / place).is_file():
            yield ROOT / place
        for folder, folders, names in os.walk(ROOT / place):
            folders[:] = [name for name in folders if name not in ("node_modules", "__pycache__", "testing")]
            for name in names:
                path = Path(folder, name)
                if path.suffix in SOURCES and name not in GENERATED and ".test." not in name:
                    yield path


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file, parsed once."""
    return ast.parse(path.read_bytes())


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    """The product's classes in Python."""
    for path in sources(*PRODUCT):
        if path.suffix == ".py":
            for node in ast.walk(tree(path)):
                if isinstance(node, ast.ClassDef):
                    yield path, node


def private_names(path: Path) -> Iterator[str]:
    """The private names of other modules that a file imports or patches; ruff finds those that it only reads."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            names: list[object] = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PATCHES:
            names = [given.value for given in node.args if isinstance(given, ast.Constant)]
        else:
            continue
        for name in names:
            last = name.rpartition(".")[2] if isinstance(name, str) else ""
            if last.startswith("_") and not last.startswith("__"):
                yield f"{named(path)}:{node.lineno} {name}"


def methods_of(node: ast.ClassDef) -> Iterator[str]:
    """The methods and properties of a class, without those that Python names."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not part.name.startswith("__"):
            yield part.name


def named(path: Path) -> str:
    """A path for a sentence, relative to the root."""
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_long() -> None:
    """A file of the product can be read at one sitting."""
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in sources(*PRODUCT)}
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_class_is_a_hall() -> None:
    """A class of the product has few enough methods to be one thing, without those that Python names."""
    methods = {f"{named(path)}:{node.name}": len(list(methods_of(node))) for path, node in classes()}
    assert len(methods) > 100
    assert {name: count for name, count in methods.items() if count > MOST_METHODS} == {}


def test_no_folder_is_crowded() -> None:
    """A folder, of the product or of the tests, holds few enough files to be one idea."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for path in sources(*PRODUCT, "tests"):
        files[named(path.parent)].append(path.name)
    crowded = {
        folder: sorted(names) for folder, names in files.items() if len(set(names) - {"__init__.py"}) > MOST_FILES
    }
    assert crowded == {}


def test_no_class_name_twice() -> None:
    """A class name of the product means one thing, in Python and in the page."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for path, node in classes():
        places[node.name].add(named(path))
    for path in sources("reactcode/src"):
        for name in PAGE_CLASS.findall(path.read_text("utf-8")):
            places[f"{name} of the page"].add(named(path))
    assert {name: sorted(where) for name, where in places.items() if len(where) > 1} == {}


def test_no_test_reaches_for_private_names() -> None:
    """A test uses only the public names of another module."""
    found = [name for path in sources("tests") if path.suffix == ".py" for name in private_names(path)]
    assert found == []
