"""What a setting is: a variable's name, the values that it allows, its default. `settings_table` lists all settings."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Environ = Mapping[str, str]
PREFIX = "TOLLCAST_"


class ConfigError(Exception):
    """A variable is missing or wrong, or a directory. The message names it and what is allowed."""


class Kind(NamedTuple):
    """The values of a setting: texts that match the pattern, and that `convert` accepts without a `ValueError`."""

    allowed: str
    convert: Callable[[str], Any] = str
    pattern: str = "(?s).*"

    def parse(self, text: str) -> Any:
        """Return the value of a text. Raise `ValueError`."""
        if not re.fullmatch(self.pattern, text):
            raise ValueError(text)
        return self.convert(text)


def whole(least: int, most: int) -> Kind:
    """Return the whole numbers between two bounds."""
    numbers = range(least, most + 1)
    # `index` raises ValueError for a number out of bounds.
    return Kind(f"a whole number from {least} to {most}", lambda text: least + numbers.index(int(text)), "[0-9]+")


class Default(NamedTuple):
    """A default that is not a constant. Without `text` the setting has no value."""

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
            if not isinstance(self.default, Default):
                text = self.default
            elif self.default.text:
                text = self.default.text(environ)
            else:
                return None
        try:
            return self.kind.parse(text)
        except ValueError:
            shown = "wrong" if self.is_secret else repr(text)
            raise ConfigError(f"{self.name} is {shown}; allowed: {self.kind.allowed}") from None


def as_text(value: Any) -> str:
    """Return a value as a variable has it."""
    if isinstance(value, tuple | frozenset):
        return ",".join(sorted(map(str, value)))
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)
