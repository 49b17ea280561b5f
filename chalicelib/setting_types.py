"""What a setting is: a variable's name, the values that it allows, its default. `settings_table` lists all settings."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Environ = Mapping[str, str]
PREFIX = "TOLLCAST_"


class ConfigError(Exception):
    """A variable is missing or wrong, or a directory. The message names it and what is allowed."""


class Kind(NamedTuple):
    """The values of a setting. `parse` raises `ValueError` for a text that is not allowed."""

    parse: Callable[[str], Any]
    allowed: str


class Default(NamedTuple):
    """A default that is not a constant: the text of another default, or no value at all."""

    description: str
    text: Callable[[Environ], str] | None = None


class Setting(NamedTuple):
    """An environment variable."""

    name: str
    kind: Kind
    # None: the setting is needed.
    default: str | Default | None
    meaning: str
    # Its value on the local platform, made from the `layout`; empty if that does not set it.
    local: str = ""
    # `make up` prefers the caller's value.
    is_choosable: bool = False
    is_secret: bool = False
    # An empty value is a value of its own. Otherwise it counts as missing.
    may_be_empty: bool = False

    @property
    def field(self) -> str:
        """The name in the typed configuration, such as `media_bucket`."""
        return self.name.removeprefix(PREFIX).lower()

    @property
    def parameter(self) -> str:
        """The name of the deployment's parameter, such as `MediaBucket`."""
        return self.field.title().replace("_", "")

    def read(self, environ: Environ) -> Any:
        """Return the value, None if it is missing and has no default. Raise `ConfigError`."""
        text = environ.get(self.name, "")
        if not text and not (self.may_be_empty and self.name in environ):
            if self.default is None:
                raise ConfigError(f"{self.name} is not set; allowed: {self.kind.allowed}")
            if isinstance(self.default, str):
                text = self.default
            elif self.default.text is None:
                return None
            else:
                text = self.default.text(environ)
        try:
            return self.kind.parse(text)
        except ValueError:
            shown = "wrong" if self.is_secret else repr(text)
            raise ConfigError(f"{self.name} is {shown}; allowed: {self.kind.allowed}") from None


def as_text(value: Any) -> str:
    """Return a value as a variable has it."""
    if isinstance(value, tuple | frozenset):
        return ",".join(sorted(map(str, value)))
    return "" if value is None else str(value)


def whole(least: int, most: int) -> Kind:
    """Return the whole numbers between two bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch("[0-9]+", text) or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return Kind(parse, f"a whole number from {least} to {most}")


def matching(pattern: str, allowed: str) -> Kind:
    """Return the texts that match a pattern."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Kind(parse, allowed)


def listed(container: Callable[[Iterable[Any]], Any], parse: Callable[[str], Any], allowed: str) -> Kind:
    """Return lists of values, separated by commas."""

    def parse_all(text: str) -> Any:
        return container(parse(part.strip()) for part in text.split(",")) if text.strip() else container(())

    return Kind(parse_all, f"{allowed}, separated by commas")


def path(pattern: str, allowed: str) -> Kind:
    """Return the paths that match a pattern."""
    text = matching(pattern, allowed)
    return Kind(lambda given: Path(text.parse(given)), allowed)
