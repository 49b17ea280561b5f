"""Printing to the terminal."""

import shutil

import click

from player.terminal.text import wrapped


def print_sentence(text: str, err: bool = False) -> None:
    """Print a sentence, wrapped to the width of the terminal."""
    click.echo("\n".join(wrapped(text, terminal_width())), err=err)


def print_field(name: str, value: str, name_width: int) -> None:
    """Print a value behind its name and a colon, padded to `name_width` cells."""
    click.echo(f"{name + ':':<{name_width}} {value}")


def terminal_width() -> int:
    """Return the width of the terminal in cells; 80 without a terminal."""
    return terminal_size()[0]


def terminal_size() -> tuple[int, int]:
    """Return the columns and rows of the terminal; 80 and 24 without a terminal."""
    size = shutil.get_terminal_size((80, 24))
    return size.columns, size.lines
