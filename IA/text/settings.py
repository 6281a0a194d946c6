"""Settings, each declared once as a field of a dataclass: command line and environment are made from the fields."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args


@dataclass(frozen=True)
class Setting:
    """What a field declares beside its name, its type and its default.

    Attributes:
        help: a sentence of the help; None: no argument of the command line gives it.
        metavar: what the help calls the value; the name in capitals makes it an argument without an option.
        parse: reads the value on the command line; raises argparse.ArgumentTypeError.
        choices: all values there are.
        initial: what a new run has where nobody asks for anything; the help ends with it, unless it is "".
        is_kept: the run keeps it. The field is None where nobody asks for it, and then the run's value stays.
        before: what was true of runs that were written before the setting was there. It never changes. None: no run is
            that old.
        is_passed_on: the processes of the session find it in their environment.
    """

    help: str | None = None
    metavar: str | None = None
    parse: Callable[[str], Any] = str
    choices: tuple[str, ...] | None = None
    initial: str | float = ""
    is_kept: bool = False
    before: str | float | None = None
    is_passed_on: bool = True


def about(help: str | None = None, **more: Any) -> dict[str, Setting]:
    """What a field's `metadata` says of it; `more` are attributes of `Setting`."""
    return {"setting": Setting(help, **more)}


def setting(default: Any, help: str | None = None, **more: Any) -> Any:
    """A field with a default and a setting."""
    return field(default=default, metadata=about(help, **more))


def kept(help: str, initial: str | float, before: str | float | None, **more: Any) -> Any:
    """A field with a setting that a run keeps."""
    return setting(None, help, initial=initial, before=before, is_kept=True, **more)


def settings_of(config: type) -> Iterator[tuple["Field[Any]", Setting]]:
    """Each field of a dataclass with its setting, in the order of the help."""
    return ((one, one.metadata["setting"]) for one in fields(config))


def add_arguments(parser: argparse.ArgumentParser, config: type) -> None:
    """Add an argument for each setting: a truth that is usually so is denied by `--no-NAME`."""
    for one, setting in settings_of(config):
        if setting.help is None:
            continue
        option = one.name.replace("_", "-")
        more: dict[str, Any] = {"help": setting.help}
        if setting.initial != "":
            initial = setting.initial if isinstance(setting.initial, str) else f"{setting.initial:g}"
            more["help"] += f" ({initial})"
        if one.type is bool:
            more |= {"dest": one.name, "action": "store_false" if one.default else "store_true"}
            option = f"no-{option}" if one.default else option
        elif setting.choices:
            more |= {"choices": setting.choices}
        else:
            more |= {"metavar": setting.metavar, "type": setting.parse}
        parser.add_argument(one.name if setting.metavar == one.name.upper() else f"--{option}", **more)


def environment_of(config: Any) -> dict[str, str]:
    """The settings as environment variables, for `from_environment` to read."""
    values = {one.name: getattr(config, one.name) for one, setting in settings_of(type(config)) if setting.is_passed_on}
    return {
        variable(name): str(int(value) if isinstance(value, bool) else value)
        for name, value in values.items()
        if value is not None
    }


def from_environment(config: type, environ: Mapping[str, str]) -> dict[str, Any]:
    """Those settings that the environment has, by name."""
    given = ((one, environ.get(variable(one.name))) for one, _ in settings_of(config))
    return {one.name: _value(one, text) for one, text in given if text is not None}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"IA_{name.upper()}"


def _value(one: "Field[Any]", text: str) -> Any:
    kind: Any = next(iter(get_args(one.type)), one.type)
    if kind is bool:
        return text == "1"
    if kind is Path and not text:
        return None
    return kind(text)
