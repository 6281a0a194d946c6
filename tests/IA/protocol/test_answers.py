"""Only one module decides which answers the model may learn."""

import ast
from pathlib import Path

import IA
from IA.protocol.files import ANNOTATIONS

ROOT = Path(IA.__file__).parent
MAY_OPEN = {
    "protocol/files.py",  # declares it
    "protocol/answers.py",  # leaves out what was sampled
    "exporting/evidence.py",  # counts for the model card, and learns nothing
}


def _opens(module: Path) -> bool:
    """Whether a module uses the file for more than its name or the time of its last change."""
    tree = ast.parse(module.read_text())
    named = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "name"}
    uses = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "ANNOTATIONS")
    return any(id(use) not in named for use in uses) or ANNOTATIONS.name in {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)
    }


def test_nothing_else_opens_the_answers() -> None:
    """Whatever learns, validates or orders takes the answers from `IA.protocol.answers`."""
    modules = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*.py") if _opens(path)}
    assert modules == MAY_OPEN
