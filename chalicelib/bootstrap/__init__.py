"""Composition root: builds the services from the stores, each once and at first use.

Each module adds the services of one subject, which use those of the modules before it: `stage`, `money`, `access`,
`accounts`, `streams`, `operations`.
"""

from functools import cache

from chalicelib import config
from chalicelib.bootstrap.operations import OperationServices


class Container(OperationServices):
    """The services of a stage. Views use services only; `stores` is for programs that need no service."""


@cache
def container() -> Container:
    """Return the process's container, from the environment. Raise `ConfigError`."""
    return Container(config.load())
