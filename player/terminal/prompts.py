"""Questions on the terminal, and secrets from standard input for scripts."""

import sys

import click

SECRET_CHARS_MAX = 4096


def ask(question: str, hidden: bool, without_terminal: str) -> str:
    """Return the answer to a question. Raise click.UsageError with the options to use instead without a terminal."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"There is no terminal. Use {without_terminal}")
    answer: str = click.prompt(question, hide_input=hidden, err=True)
    return answer


def line_from_stdin(name: str) -> str:
    """Return the next line of standard input, without its line break. Raise click.UsageError if it is empty."""
    line = sys.stdin.readline(SECRET_CHARS_MAX).rstrip("\r\n")
    if not line:
        raise click.UsageError(f"Standard input contains no {name}.")
    return line
