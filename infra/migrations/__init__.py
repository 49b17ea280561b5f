"""Numbered changes of what lies in AWS, applied in order and recorded: `apply(settings)`.

A change is a module `m<number>_<name>.py` with a function `apply(settings)`. It must be idempotent: a runner that dies
between a change and its record applies it again.
"""

from infra.migrations.runner import apply

__all__ = ["apply"]
