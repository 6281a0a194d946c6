"""The TensorBoard of a run, on loopback at PORT + 1, for the annotation server alone.

Anybody on this machine could ask it there, and so could a page from elsewhere whose name was made to point at
127.0.0.1: hence it answers its own address only, and asks for the token of the run, as the annotation server does.
"""

import hmac
import sys
from collections.abc import Callable, Iterable
from typing import Any

from tensorboard import default, main_lib, program

from backend.web.access import token_of
from config import COMMAND, Config, UsageError
from IA.process.loop import one_sentence

RELOAD_EVERY_S = 5.0
REFUSAL = b"TensorBoard is reached through the page: /tensorboard/ at its own port.\n"

Start = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


def guarded(app: Application, address: str, token: str | None) -> Application:
    """The same app for requests that name its address and bring the token, where there is one."""
    wanted = None if token is None else f"Bearer {token}".encode()

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if environ.get("HTTP_HOST") == address and (wanted is None or hmac.compare_digest(given, wanted)):
            return app(environ, start)
        start("403 Forbidden", [("content-type", "text/plain"), ("x-content-type-options", "nosniff")])
        return [REFUSAL]

    return answer


def main() -> None:
    """Serve the run that the supervisor's environment names."""
    config = Config.from_environment()
    if config is None:
        raise UsageError(f"Nothing says whose TensorBoard this is; it is started by {COMMAND}.")
    host, port = "127.0.0.1", config.port + 1
    token = token_of(config.run) if config.token else None

    def server(app: Application, flags: Any) -> program.WerkzeugServer:
        return program.WerkzeugServer(guarded(app, f"{host}:{port}", token), flags)

    main_lib.global_init()
    board = program.TensorBoard(plugins=default.get_plugins(), server_class=server)
    board.configure(
        logdir=str(config.run / "tensorboard"),
        host=host,
        port=port,
        path_prefix="/tensorboard",
        reload_interval=RELOAD_EVERY_S,
        load_fast="false",  # Else a second process listens on loopback without asking for a token.
    )
    sys.exit(board.main())


if __name__ == "__main__":
    one_sentence(main)
