"""Numbered changes of the resources in AWS, applied in order and recorded: `apply(settings)`.

A change is a module `m<number>_<name>.py` with a function `apply(settings)`. It must be idempotent: after a crash
between a change and its record, the change is applied again.
"""

from infra.migrations.runner import apply

__all__ = ["apply"]
