"""The Chalice app: registers routes, the play-token authorizer and the schedules."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalice.app import AuthRequest, AuthResponse, Chalice, CloudWatchEvent, Rate

from chalicelib.api.access import media
from chalicelib.api.answers import middleware
from chalicelib.api.openapi import ALL_ROUTES
from chalicelib.bootstrap import Container, container

app = Chalice(app_name="tollcast", debug=False)
app.register_middleware(middleware, "http")

for routes in ALL_ROUTES:
    app.register_blueprint(routes.blueprint)


# Declared here, since Lambda would not import this file for a blueprint's authorizer and schedules.
@app.authorizer(ttl_seconds=media.DECISION_TTL_S)
def play_token(request: AuthRequest) -> AuthResponse:
    """Decide on play tokens for API Gateway."""
    return media.authorize(request)


media.register(app, play_token)


@contextmanager
def counted() -> Iterator[Container]:
    """Yield the services for a scheduled run, and write what the run has counted."""
    services = container()
    try:
        yield services
    finally:
        services.monitoring.flush()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def settle_streams(event: CloudWatchEvent) -> None:
    """Reconcile desired and real state of streams."""
    with counted() as services:
        services.controller.tick()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def reap_sessions(event: CloudWatchEvent) -> None:
    """End sessions whose lease expired too long ago."""
    with counted() as services:
        services.reaper.reap()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def reconcile_sessions(event: CloudWatchEvent) -> None:
    """Compare ended sessions with their ledger and what they were served."""
    with counted() as services:
        services.reconciliation.run()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def sample_series(event: CloudWatchEvent) -> None:
    """Take a sample for the time series and the overview."""
    container().sampler.sample()


@app.schedule(Rate(5, unit=Rate.MINUTES))
def move_ledger_pages(event: CloudWatchEvent) -> None:
    """Move full ledger pages that no heartbeat has moved."""
    with counted() as services:
        services.ledger.catch_up(services.monitoring.set_pages_behind)


@app.schedule(Rate(1, unit=Rate.HOURS))
def tend_token_keys(event: CloudWatchEvent) -> None:
    """Rotate token keys that are 30 days old, in two phases."""
    container().key_rotation.rotate_if_due()
