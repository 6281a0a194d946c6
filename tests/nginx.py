"""A real nginx before a server, with everything that is not about the place left as nginx comes."""

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
    """The port of an nginx that serves what listens at another port below `PATH`, until the block ends.

    Two other places lead there, too: `/named/` asks for it by the name of an upstream, `/whole/` keeps the path.

    Args:
        folder: for what it writes.
        upstream: the port of the server behind it.
        more: settings of `PATH` in nginx's own words.
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
