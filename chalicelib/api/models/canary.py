"""Runs of the canary."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import OneLine
from chalicelib.domain.operations.canary import STEP_MS_MAX, STEPS, CanaryStep

STEP_NAMES = ", ".join(STEPS)


class CanaryReport(Request):
    """A run that has just ended. `failure` says why its last step failed; without it, all steps worked."""

    steps_ms: list[Annotated[int, Field(ge=0, le=STEP_MS_MAX)]] = Field(
        min_length=1, max_length=len(STEPS), description=f"how long each step took, in this order: {STEP_NAMES}"
    )
    failure: OneLine | None = None


class CanaryStepItem(Answer):
    """A step that was tried."""

    step: CanaryStep
    ms: int
    is_ok: bool


class CanaryRunAnswer(Answer):
    """A run. `failure` says why `failed_step` failed; both are null if all steps worked."""

    at_ms: int
    is_ok: bool
    failed_step: CanaryStep | None
    failure: str | None
    steps: list[CanaryStepItem]
