"""The wheel: it holds all that running needs, and its command works in an environment of its own, started anywhere."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from config import ROOT
from tests.processes.suite import END_S, free_port

PARTS = ("IA", "backend", "reactcode/dist")
FILES = ("config.py", "pyproject.toml", "README.md", "LICENSE")

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this clone."""
    source = tmp_path_factory.mktemp("source")
    for part in PARTS:
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(source / "made"), str(source)], check=True)
    [made] = (source / "made").iterdir()
    return made


def test_it_holds_all_that_running_needs(wheel: Path) -> None:
    """Every module, and every file of the page."""
    with zipfile.ZipFile(wheel) as file:
        there = set(file.namelist())
    modules = [path.relative_to(ROOT).as_posix() for part in ("IA", "backend") for path in (ROOT / part).rglob("*.py")]
    page = ROOT / "reactcode" / "dist"
    shown = [f"backend/page/{path.relative_to(page).as_posix()}" for path in page.rglob("*") if path.is_file()]
    assert {"config.py", *modules, *shown} - there == set()


def test_its_command_works_anywhere(wheel: Path, tmp_path: Path, images_folder: Path) -> None:
    """It serves the page and takes an answer, and keeps it where the person stands."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], env=alone, check=True)
    [site] = tmp_path.glob("venv/lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "config.py").write_text("raise SystemExit('the wrong config')")
    command = [str(tmp_path / "venv" / "bin" / "intelligent-annotation")]
    port = free_port()
    here: dict[str, Any] = {"cwd": tmp_path / "here", "env": alone}
    shown = subprocess.run(command, **here, capture_output=True, text=True, check=True).stdout
    assert "intelligent-annotation HOST PORT DATADIR" in shown
    command += ["127.0.0.1", str(port), str(images_folder), "--no-ai"]
    with subprocess.Popen(command, **here, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            link = process.stdout.readline().strip()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=END_S, trust_env=False) as client:
                page = client.get(link, follow_redirects=True)
                assert page.text == (ROOT / "reactcode" / "dist" / "index.html").read_text()
                assert client.get("/api/images/0?size=20").headers["content-type"].startswith("image/")
                assert client.post("/api/annotations", json={"image": 0, "label": "positive"}).status_code == 201
        finally:
            process.terminate()
        assert process.wait(END_S) == 0
    assert (tmp_path / "here" / "runs" / "images" / "annotations.pickle").exists()
    backup = [python, "-P", "-m", "backend.backup", "runs/images", "copy"]
    subprocess.run(backup, **here, check=True, stdout=subprocess.DEVNULL)
