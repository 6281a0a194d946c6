"""What a page can offer is what the registries have, and what requests may name."""

from pathlib import Path

from backend import exports, imports
from config import DEFAULT_AUDIT
from IA.strategies import STRATEGIES
from tests.serving import serving


def test_the_menus_are_those_of_the_registries(tmp_path: Path, images_folder: Path) -> None:
    """Strategies, formats and usual values; a request may name each of them, and the contract says which there are."""
    with serving(tmp_path / "run", images_folder) as server:
        offered = server.client.get("/api/choices").json()
        assert [one["name"] for one in offered["strategies"]] == list(STRATEGIES)
        assert [one["name"] for one in offered["exports"]] == list(exports.FORMATS)
        assert offered["import_suffixes"] == list(imports.SUFFIXES)
        assert offered["usual_audit"] == DEFAULT_AUDIT
        assert {one["name"] for one in offered["exports"] if one["has_images"]} == {"folders", "imagefolder"}
        for one in offered["exports"]:
            assert server.client.get(f"/api/export?format={one['name']}").is_success
            assert one["scheme"] is None or server.client.get(f"/{one['scheme']}").is_success
        contract = server.client.get("/api/openapi.json").json()
        [named] = [
            parameter["schema"]["enum"]
            for parameter in contract["paths"]["/api/export"]["get"]["parameters"]
            if parameter["name"] == "format"
        ]
        assert named == list(exports.FORMATS)
        assert contract["components"]["schemas"]["StrategyBody"]["properties"]["strategy"]["enum"] == list(STRATEGIES)
        refused = server.client.get("/api/export?format=xls")
        assert (refused.status_code, "'csv'" in refused.json()["detail"]) == (422, True)
        assert server.client.put("/api/strategy", json={"strategy": "best"}).status_code == 422
