"""Service keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.api.models.common import Answer, Request
from chalicelib.api.models.forms import Label
from chalicelib.domain.access.service_keys import EXPIRY_DAYS_MAX, OVERLAP_HOURS_MAX, Scope

ExpiryDays = Annotated[int, Field(ge=1, le=EXPIRY_DAYS_MAX)]


class CreateKeyRequest(Request):
    """A new service key."""

    name: Label
    scopes: list[Scope] = Field(min_length=1, max_length=len(Scope))
    expires_in_days: ExpiryDays


class RotateKeyRequest(Request):
    """A new secret. Older ones are accepted for `overlap_hours` more, and 0 ends them at once.

    `expires_in_days` is a new expiry of the key, from now. Without it the key expires as before.
    """

    overlap_hours: int = Field(ge=0, le=OVERLAP_HOURS_MAX)
    expires_in_days: ExpiryDays | None = None


class ServiceKeyAnswer(Answer):
    """A service key without its secret. `last_used_at_ms` is at most a minute old while the key is in use."""

    key_id: str
    name: str
    scopes: list[Scope]
    created_by: str
    created_at_ms: int
    expires_at_ms: int
    last_used_at_ms: int | None
    revoked_at_ms: int | None


class NewKeyAnswer(ServiceKeyAnswer):
    """A service key with its secret, which is shown only here. Send `key` as `Authorization: Bearer <key>`."""

    key: str
