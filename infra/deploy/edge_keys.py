"""Publish the play keys to the store of CloudFront's function: `python -m infra.deploy.edge_keys`.

Run it once after the stack is created. Later rotations publish their keys themselves.
"""

from chalicelib import config
from chalicelib.adapters.access.edge_keys import EdgeKeyStore
from chalicelib.adapters.access.keyvalue_store import KeyValueStore
from chalicelib.adapters.access.secret_keys import SecretKeyStore
from chalicelib.domain.access.tokens import TokenKind


def main() -> None:
    """Publish the stage's play keys."""
    settings = config.load()
    store = config.store_at_edges(settings)
    if store is None:
        raise SystemExit("TOLLCAST_DENYLIST_STORE is not set. Set it to the KeyValueStore of the play keys.")
    keys = SecretKeyStore(settings.token_secret)
    sets, _ = keys.read()
    EdgeKeyStore(keys, KeyValueStore(store)).publish(sets)
    print(f"{len(sets[TokenKind.PLAY].keys)} play keys are published; all edges have them within seconds")


if __name__ == "__main__":
    main()
