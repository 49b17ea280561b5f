"""The Chalice app: registers routes, the play-token authorizer and the schedules. No logic."""

from chalice.app import AuthRequest, AuthResponse, Chalice, CloudWatchEvent, Rate

from chalicelib.api import media
from chalicelib.api.answers import middleware
from chalicelib.api.openapi import ALL_ROUTES
from chalicelib.bootstrap import container
from chalicelib.services.access.key_rotation import KeyRotation

app = Chalice(app_name="tollcast", debug=False)
app.register_middleware(middleware, "http")

for routes in ALL_ROUTES:
    app.register_blueprint(routes.blueprint)


# Authorizer and schedules are declared here and not in a blueprint: from there Lambda would not import this file.
@app.authorizer(ttl_seconds=media.VERDICT_TTL_S)
def play_token(request: AuthRequest) -> AuthResponse:
    """Judges play tokens for API Gateway."""
    return media.authorize(request)


media.register(app, play_token)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def settle_streams(event: CloudWatchEvent) -> None:
    """Brings desired and real state of streams together."""
    container().controller.tick()


@app.schedule(Rate(1, unit=Rate.MINUTES))
def reap_sessions(event: CloudWatchEvent) -> None:
    """Ends sessions whose lease ran out too long ago."""
    container().playback.reap()


@app.schedule(Rate(2, unit=Rate.MINUTES))
def reconcile_sessions(event: CloudWatchEvent) -> None:
    """Holds ended sessions against their ledger and what they were served."""
    container().reconciliation.run()


@app.schedule(Rate(5, unit=Rate.MINUTES))
def move_ledger_pages(event: CloudWatchEvent) -> None:
    """Moves full pages that no beat has moved."""
    container().ledger.catch_up()


@app.schedule(Rate(1, unit=Rate.HOURS))
def tend_token_keys(event: CloudWatchEvent) -> None:
    """Rotates token keys that are 30 days old, in two phases, so it looks each hour."""
    KeyRotation(container().token_keys, container().clock).rotate_if_due()
