"""Other people's programs read our exports: each is installed from PyPI into an environment of its own, which stays.

    .venv/bin/python -m pytest -m foreign

takes some minutes the first time; the environments are kept in .pytest_cache.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from backend.export import export
from backend.exports import FORMATS
from backend.exports.fields import fields
from backend.imports import read_labelled
from backend.imports.labelled import Words
from backend.imports.plan import plan
from backend.runs.reading import opened
from config import ROOT
from IA.images.tiles import Grid
from IA.protocol.files import IMAGES
from IA.protocol.pickle_file import read
from tests.processes.suite import free_port
from tests.serving import serving, until

pytestmark = [pytest.mark.foreign, pytest.mark.slow, pytest.mark.timeout(1800)]

LABELS = ("positive", "negative", "skipped")
ANSWERS = {
    path: LABELS[number % 3]
    for number, path in enumerate(path for photo in ("a.png", "b c/#1.png") for path in Grid(2, 2).paths(photo))
}
TOKEN = "0123456789abcdef" * 2 + "01234567"
START_S = 300.0
KEPT = ROOT / "tests" / "data"
LOAD = """
import json, sys
from datasets import load_dataset
data = load_dataset("imagefolder", data_dir=sys.argv[1])
rows = [{**row, "image": row["image"].size} for row in data["train"]]
json.dump({"splits": list(data), "rows": rows}, sys.stdout)
"""


def installed(request: pytest.FixtureRequest, package: str) -> Path:
    """The programs of an environment with this package."""
    folder = Path(request.config.cache.mkdir(package.partition("[")[0])) / "venv"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", package], check=True)
        (folder / "installed").touch()
    return folder / "bin"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of nine pictures with odd names, one of them in a folder `test`; a third of them each is skipped."""
    names = ("a.png", "b c.png", "ü/1.jpg", "ü/2.jpg", "test/3.jpg", "x#%&?+.png", "q'\"<>.png", "7.jpg", "8.jpg")
    for number, name in enumerate(names):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60 + number, 40), (20 * number, 90, 120)).save(tmp_path / "data" / name)
    classes: dict[str, Any] = {"positive": "hat", "negative": 'no "hat" & <such>'}
    with serving(tmp_path / "run", tmp_path / "data", **classes) as server:
        until(lambda: not server.session.images.listing)
        for image in range(len(names)):
            server.answer(image, LABELS[image % 3], shown_ms=500 + image, client="somebody")
    return tmp_path / "run"


@pytest.fixture
def tiled_run(tmp_path: Path) -> Path:
    """A run about the tiles of two photos, eight in all."""
    (tmp_path / "data" / "b c").mkdir(parents=True)
    for name in ("a.png", "b c/#1.png"):
        Image.new("RGB", (80, 40), (20, 90, 120)).save(tmp_path / "data" / name)
    with serving(tmp_path / "run", tmp_path / "data", tile="2x2", positive="hat", negative="no hat") as server:
        until(lambda: not server.session.images.listing)
        for image in range(8):
            path = server.session.images.path(image)
            server.answer(image, ANSWERS[path], shown_ms=500 + image, client="somebody")
    return tmp_path / "run"


@contextlib.contextmanager
def label_studio(programs: Path, folder: Path) -> Iterator[httpx.Client]:
    """Label Studio itself, on loopback, with a database of its own."""
    port = free_port()
    environment = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    login = ("--username", "a@example.org", "--password", "secret-123", "--user-token", TOKEN)
    here = ("--no-browser", "--internal-host", "127.0.0.1", "--port", str(port))
    command = [str(programs / "label-studio"), "start", *here, *login]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address, headers = f"http://127.0.0.1:{port}", {"authorization": f"Token {TOKEN}"}
        with httpx.Client(base_url=address, headers=headers, timeout=120, trust_env=False) as client:
            until(lambda: _answers(client), START_S)
            yield client
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def test_label_studio_takes_and_gives_back(run: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Label Studio imports our tasks under our config, and what it exports has the same labels for the same images.

    With IA_KEEP_EXPORTS=1 its exports are kept as tests/data/label_studio_export*.json, for the tests of our import.
    """
    tasks, whole, short = through_label_studio(run, tmp_path, request, 9)
    assert {task["data"]["image"]: _said(task) for task in whole} == {
        task["data"]["image"]: _said(task) for task in tasks
    }
    assert [task["meta"] for task in whole] == [task["meta"] for task in tasks]
    assert {task["image"]: task["label"] for task in short} == {
        task["data"]["image"]: _said(task)[0] for task in tasks if _said(task)[0]
    }
    if os.environ.get("IA_KEEP_EXPORTS"):
        (KEPT / "label_studio_export.json").write_text(json.dumps(whole, indent=1) + "\n")
        (KEPT / "label_studio_export_min.json").write_text(json.dumps(short, indent=1) + "\n")


@pytest.mark.parametrize("kind", ["JSON", "JSON_MIN"])
def test_label_studio_takes_and_gives_back_tiles(
    tiled_run: Path, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    """It takes a task a tile, with where that lies; what it exports has the same answers when it comes back here."""
    _, whole, short = through_label_studio(tiled_run, tmp_path, request, 8)
    places = [result["value"] for result in whole[3]["annotations"][0]["result"] if result["type"] == "rectangle"]
    assert {name: places[0][name] for name in ("x", "y", "width", "height")} == dict.fromkeys(
        ("x", "y", "width", "height"), 50
    )
    file = tmp_path / "exported.json"
    file.write_text(json.dumps(whole if kind == "JSON" else short))
    words = Words({"positive": "hat", "negative": "no hat"})
    images = read(tiled_run, IMAGES).content
    planned = plan(read_labelled(file), words, images, str(tmp_path / "data"), {})
    got = {answer.path: answer.label for answer in planned.answers(overwrite=False)}
    skipped = set() if kind == "JSON" else {path for path, label in ANSWERS.items() if label == "skipped"}
    assert got == {path: label for path, label in ANSWERS.items() if path not in skipped}


def through_label_studio(
    run: Path, folder: Path, request: pytest.FixtureRequest, count: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Our tasks, of which there are so many, and what Label Studio makes of them: its JSON, and its JSON_MIN."""
    programs = installed(request, "label-studio")
    export(opened(run), FORMATS["label-studio"], folder / "tasks.json")
    (folder / "server").mkdir()
    with label_studio(programs, folder / "server") as client:
        config = {"title": "exported", "label_config": (folder / "tasks.xml").read_text()}
        project = client.post("/api/projects", json=config).raise_for_status().json()["id"]
        files = {"file": ("tasks.json", (folder / "tasks.json").read_bytes(), "application/json")}
        taken = client.post(f"/api/projects/{project}/import", files=files).raise_for_status().json()
        assert (taken["task_count"], taken["annotation_count"]) == (count, count)
        whole, short = (
            client.get(f"/api/projects/{project}/export", params={"exportType": kind, "download_all_tasks": "true"})
            .raise_for_status()
            .json()
            for kind in ("JSON", "JSON_MIN")
        )
    return json.loads((folder / "tasks.json").read_text()), whole, short


def _said(task: dict[str, Any]) -> tuple[str | None, bool]:
    """The choice in the annotation of a task, and whether it was skipped."""
    [annotation] = task["annotations"]
    choices = [choice for result in annotation["result"] for choice in result["value"]["choices"]]
    return (choices[0] if choices else None), annotation["was_cancelled"]


@pytest.mark.parametrize("is_zip", [False, True], ids=["folder", "zip"])
def test_datasets_loads_an_imagefolder(run: Path, tmp_path: Path, request: pytest.FixtureRequest, is_zip: bool) -> None:
    """`load_dataset("imagefolder", data_dir=...)` gives one split, every image, and every field beside it."""
    programs = installed(request, "datasets[vision]")
    folder = tmp_path / "exported"
    export(opened(run), FORMATS["imagefolder"], folder.with_suffix(".zip") if is_zip else folder)
    if is_zip:
        with zipfile.ZipFile(folder.with_suffix(".zip")) as archive:
            archive.extractall(folder)
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")}
    command = [str(programs / "python"), "-c", LOAD, str(folder)]
    loaded = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    assert loaded["splits"] == ["train"]
    assert len(loaded["rows"]) == 9
    assert set(loaded["rows"][0]) == {"image", *fields(False)}
    answers = {answer.path: answer for answer in opened(run).moment()}
    for row in loaded["rows"]:
        with Image.open(tmp_path / "data" / row["path"]) as image:
            assert tuple(row["image"]) == image.size
        assert row["label"] == answers[row["path"]].label
        assert row["shown_ms"] == answers[row["path"]].shown_ms
