"""A group of commands that imports a command once it is named.

It refuses empty texts for all of them, and reports a full disk in words.
"""

import errno
import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from player.errors import CliError
from player.exit_status import ExitStatus

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class Text(click.types.StringParamType):
    """A text that somebody gave, and that is therefore not empty.

    An empty one is mostly a variable of a script that is not set. Taken as left out, it would mean something else: a
    filter that shows everything, or a payment that is new each time.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the text. Raise click.BadParameter if it is empty, and not a default."""
        source = ctx.get_parameter_source(param.name) if ctx and param and param.name else None
        if value == "" and source is not click.core.ParameterSource.DEFAULT:
            is_option = isinstance(param, click.Option)
            self.fail("It is empty." + (" Give it a value, or leave it out." if is_option else ""), param, ctx)
        return super().convert(value, param, ctx)


def refuse_empty_texts(command: click.Command) -> click.Command:
    """Let a command and those below it refuse empty texts. Return it."""
    for param in command.params:
        if type(param.type) is click.types.StringParamType:
            param.type = Text()
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        refuse_empty_texts(below)
    return command


class LazyGroup(click.Group):
    """A group whose list of commands and completion are quick.

    `texts` maps each command to its line in the help, in the order of the help. The module of its name in `package` has
    it as `command`.
    """

    def __init__(self, *args: Any, package: str, texts: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._package, self._texts = package, texts
        refuse_empty_texts(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the help."""
        return list(self._texts)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None for an unknown name."""
        if cmd_name not in self._texts:
            return None
        command = importlib.import_module(f"{self._package}.{cmd_name}").command
        assert isinstance(command, click.Command)
        return refuse_empty_texts(command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raise `CliError` where its output went to a disk that is full."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            advice = "Free some space. Before you repeat a command that changes something, look whether it did."
            raise CliError(f"It could not be written: {error.strerror}.", advice, ExitStatus.FAILED) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._texts.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin so."""
        commands = [
            CompletionItem(name, help=text) for name, text in self._texts.items() if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)
