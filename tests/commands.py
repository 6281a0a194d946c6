"""Runs commands as a person starts them, but within the test process."""

import sys
from collections.abc import Callable

import pytest

from config import UsageError

Command = Callable[..., str]
"""Takes what stands on the command line; gives what is printed, or `mistake: ` and the one sentence it ends with."""


def command_of(
    main: Callable[[], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A function that runs an entry point with arguments."""

    def run_it(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
        except UsageError as error:
            assert str(error).endswith(".")
            assert "\n" not in str(error)
            return f"mistake: {error}"
        return capsys.readouterr().out

    return run_it
