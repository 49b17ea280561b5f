"""`python -m infra.deploy.edge_keys`: bring the play keys to CloudFront's function, which has no other secrets.

To be run once the stack is there; rotations of the keys do it by themselves.
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
        raise SystemExit("TOLLCAST_DENYLIST_STORE is not set: there is no KeyValueStore to bring the play keys to")
    keys = SecretKeyStore(settings.token_secret)
    sets, _ = keys.read()
    EdgeKeyStore(keys, KeyValueStore(store)).publish(sets)
    print(f"{len(sets[TokenKind.PLAY].keys)} play keys are at the edges, or on their way there")


if __name__ == "__main__":
    main()
