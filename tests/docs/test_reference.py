"""The reference names everything there is: options, routes, keys, formats, strategies, and files of the protocol."""

import json
import re
import subprocess
import sys

import pytest

from backend.exports import FORMATS
from backend.imports import SUFFIXES
from config import ROOT
from IA.protocol.files import BACKBONE, PICKLES, PREDICTOR
from IA.strategies import STRATEGIES

REFERENCE = ROOT / "docs" / "reference"
KEYS = ROOT / "reactcode" / "src" / "core" / "keys" / "keys.ts"
OPTION = re.compile(r"(?<!\S)(?:-h|--[a-z][a-z-]*)")
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([^`\n]+)`")
COMMANDS = (
    "backend.export",
    "backend.import_labels",
    "backend.finish",
    "backend.quarantine",
    "backend.backup",
    "IA.compare",
    "IA.predict",
    "IA.export",
    "IA.simulate",
)


def named_in(page: str) -> set[str]:
    """Whatever stands in backticks on a page of the reference, and each word of it."""
    found = NAMED.findall(FENCED.sub("", (REFERENCE / page).read_text("utf-8")))
    return {word for text in found for word in (text, *re.split(r"[ ,=]+", text))}


def help_of(command: list[str]) -> set[str]:
    """The options that a command says it has."""
    printed = subprocess.run([sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(OPTION.findall(printed.stdout.replace("[", " ").replace(",", " ")))


def test_every_option() -> None:
    """Every option of a session has its row."""
    options = help_of([str(ROOT / "config.py")])
    assert len(options) > 15
    assert not options - named_in("options.md")


def test_every_environment_variable() -> None:
    """Every variable that the product reads has its row."""
    files = [ROOT / "config.py", *(ROOT / "IA").rglob("*.py"), *(ROOT / "backend").rglob("*.py")]
    variables = {name for file in files for name in re.findall(r"[\"'](IA_[A-Z_]+)[\"']", file.read_text("utf-8"))}
    assert "IA_TORCH_INDEX" in variables
    assert not variables - named_in("options.md")


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command(command: str) -> None:
    """Every option of a command has its row."""
    assert not help_of(["-m", command]) - {"-h", "--help"} - named_in("commands.md")


def test_every_route() -> None:
    """Every operation of the OpenAPI document has its row, with its parameters."""
    page = (REFERENCE / "routes.md").read_text("utf-8")
    paths = json.loads((REFERENCE / "openapi.json").read_text("utf-8"))["paths"]
    operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert len(operations) > 25
    assert not [operation for operation in operations if f"`{operation}`" not in page]
    parameters = {
        parameter["name"]
        for methods in paths.values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    assert not parameters - named_in("routes.md")


def test_every_key() -> None:
    """Every action of the table of keys has its row."""
    table = KEYS.read_text("utf-8").partition("const TABLE = {")[2].partition("\n} ")[0]
    actions = set(re.findall(r"^  (\w+): \{", table, re.MULTILINE))
    assert {"positive", "undo", "grid"} <= actions
    assert not actions - named_in("keys.md")


def test_every_format() -> None:
    """Every export format has its row, and every ending of a file of labels is named."""
    assert not set(FORMATS) - named_in("formats.md")
    assert not set(SUFFIXES) - named_in("formats.md")


def test_every_strategy() -> None:
    """Every strategy has its row."""
    assert not set(STRATEGIES) - named_in("options.md")


def test_every_file_of_the_protocol() -> None:
    """Every file between the processes has its row."""
    assert not {PREDICTOR, BACKBONE, *(file.name for file in PICKLES)} - named_in("files.md")
