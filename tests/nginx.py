"""A real nginx in front of a server, with nginx's defaults for everything but its place."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.runs.checks import is_free
from tests.serving import until

PATH = "/annotate/"
CONFIGURATION = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    gzip on;
    {temporary}
    upstream backend {{ server 127.0.0.1:{upstream}; }}
    server {{
        listen 127.0.0.1:{port};
        location {path} {{ proxy_pass http://127.0.0.1:{upstream}/; {more} }}
        location /named/ {{ proxy_pass http://backend/; }}
        location /whole/ {{ proxy_pass http://127.0.0.1:{upstream}; }}
    }}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def executable() -> str:
    """The system's nginx; without one the test is skipped."""
    found = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")
    if found is None:
        pytest.skip("nginx is not installed; bash tests/run.sh installs it.")
    return found


@contextlib.contextmanager
def proxied(folder: Path, upstream: int, more: str = "") -> Iterator[int]:
    """The port of an nginx that serves another port below `PATH`, until the block ends.

    Two other places lead to the same server: `/named/` uses the name of an upstream, `/whole/` keeps the path.

    Args:
        folder: the folder for nginx's files.
        upstream: the port of the server behind nginx.
        more: further settings of `PATH`, in nginx's syntax.
    """
    folder.mkdir()
    port = next(port for port in range(upstream + 2, 65536) if is_free(port))
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in TEMPORARY)
    known = {"folder": folder, "temporary": temporary, "upstream": upstream, "port": port, "path": PATH, "more": more}
    (folder / "nginx.conf").write_text(CONFIGURATION.format(**known))
    command = [executable(), "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: not is_free(port))
            yield port
        finally:
            process.terminate()
