"""The token keys in Secrets Manager: one secret, whose versions guard replacements."""

from __future__ import annotations

import json

from chalicelib.adapters.aws import client, translated
from chalicelib.domain.access.key_sets import KeySets, from_document, to_document
from chalicelib.ports.common import RowRefused

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"


class SecretKeyStore:
    """The port `KeyStore`."""

    def __init__(self, secret_id: str) -> None:
        self._secret_id = secret_id

    def read(self) -> tuple[KeySets, str]:
        with translated():
            secret = client("secretsmanager").get_secret_value(SecretId=self._secret_id)
        return from_document(json.loads(secret["SecretString"])), str(secret["VersionId"])

    def replace(self, version: str, sets: KeySets) -> None:
        """Move the label `AWSCURRENT` to a new version. A write has no condition, but moving the label has."""
        manager = client("secretsmanager")
        text = json.dumps(to_document(sets))
        with translated():
            written = manager.put_secret_value(SecretId=self._secret_id, SecretString=text, VersionStages=[PENDING])
            try:
                manager.update_secret_version_stage(
                    SecretId=self._secret_id,
                    VersionStage=CURRENT,
                    MoveToVersionId=written["VersionId"],
                    RemoveFromVersionId=version,
                )
            except (manager.exceptions.InvalidParameterException, manager.exceptions.InvalidRequestException):
                raise RowRefused from None
