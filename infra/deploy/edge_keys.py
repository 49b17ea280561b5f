"""`python -m infra.deploy.edge_keys`: bring the play keys to CloudFront's function, which has no other secrets.

To be run after each change of the keys, and a minute before a new one signs: the edges learn it within seconds. Whoever
may read that KeyValueStore may make play tokens; it belongs to the secrets of the stage.
"""

import base64
from collections.abc import Mapping

from chalicelib import config
from chalicelib.adapters.jwt_tokens import parse_key_sets, secret_from_aws
from chalicelib.adapters.keyvalue_store import KeyValueStore
from chalicelib.domain.tokens import TokenKind

KEY_PREFIX = "key/"
LISTED_MAX = 100_000


def publish(store: KeyValueStore, keys: Mapping[str, str]) -> tuple[int, int]:
    """Let the store have these keys (base64, by key id) and no others; answers how many, and how many are gone."""
    wanted = {KEY_PREFIX + kid: key for kid, key in keys.items()}
    gone = [key for key, _ in store.items(LISTED_MAX) if key.startswith(KEY_PREFIX) and key not in wanted]
    store.write(wanted, gone)
    return len(wanted), len(gone)


def main() -> None:
    """Publish the stage's play keys."""
    settings = config.load()
    if settings.denylist_store is None:
        raise SystemExit("TOLLCAST_DENYLIST_STORE is not set: there is no KeyValueStore to bring the play keys to")
    keys = parse_key_sets(secret_from_aws(settings.token_secret))[TokenKind.PLAY].keys
    encoded = {kid: base64.b64encode(key).decode() for kid, key in keys.items()}
    kept, gone = publish(KeyValueStore(settings.denylist_store), encoded)
    print(f"{kept} play keys are on their way to the edges; {gone} are gone")


if __name__ == "__main__":
    main()
