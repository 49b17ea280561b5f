"""Conversion of service results to wire models that several routes use."""

from chalicelib.api.endpoint import Call
from chalicelib.api.models.accounts import BrowserLoginAnswer, LoginAnswer, UserAnswer
from chalicelib.api.models.playback import PlaybackAnswer, StartAnswer
from chalicelib.api.models.streams import RtmpAddressAnswer, SrtAddressAnswer, StreamAnswer, StreamSettingsAnswer
from chalicelib.api.models.wallets import WalletAnswer
from chalicelib.domain.money.lease import is_final, next_beat_in_ms, others_spending, seconds_left
from chalicelib.domain.money.wallets import NO_DAILY_CAP, Wallet
from chalicelib.domain.streams.ingest import rtmp_server, rtmp_stream_key, srt_sender_url
from chalicelib.domain.streams.pacing import LIVE_START_INDEX
from chalicelib.domain.streams.stream import Stream
from chalicelib.services.access.auth import Login
from chalicelib.services.access.playback import Opened
from chalicelib.services.money.billing import Beat
from chalicelib.services.streams.views import StreamView


def login_answer(login: Login) -> LoginAnswer:
    """Return a login as its wire model."""
    return LoginAnswer(
        access_token=login.access_token,
        refresh_token=login.refresh_token,
        expires_in=login.expires_in_s,
        user=UserAnswer.model_validate(login.user),
    )


def browser_login_answer(login: Login) -> BrowserLoginAnswer:
    """Return a login without its refresh token."""
    return BrowserLoginAnswer(
        access_token=login.access_token,
        expires_in=login.expires_in_s,
        user=UserAnswer.model_validate(login.user),
    )


def wallet_answer(call: Call, wallet: Wallet) -> WalletAnswer:
    """Return a wallet as its wire model."""
    today = call.services.ledger.today(wallet)
    capped = wallet.daily_cap_millipoints != NO_DAILY_CAP
    values = {
        **vars(wallet),
        "daily_cap_millipoints": wallet.daily_cap_millipoints if capped else None,
        "spent_today_millipoints": today.spent_millipoints,
        "day_ends_at_ms": today.ends_at_ms,
        "top_up_url": call.services.settings.top_up_url(wallet.user_id),
        "sessions": list(wallet.sessions.values()),
    }
    return WalletAnswer.model_validate(values)


def playback_answer(call: Call, beat: Beat) -> PlaybackAnswer:
    """Return a session after a start or a heartbeat, with a fresh play token."""
    session = beat.session
    token, expires_in_s = call.services.access.issue(call.user_id, session)
    values = {
        **vars(session),
        "play_url": f"{call.services.settings.public_url}/play/{session.session_id}/index.m3u8",
        "play_token": token,
        "expires_in": expires_in_s,
        "next_beat_in_ms": next_beat_in_ms(beat.wallet, session, beat.now_ms),
        "balance_millipoints": beat.wallet.balance_millipoints,
        "seconds_left": seconds_left(beat.wallet, session, beat.now_ms),
        "final": is_final(beat.wallet, session, beat.now_ms),
        "top_up_url": call.services.settings.top_up_url(call.user_id),
        "others_spending": len(others_spending(beat.wallet, session, beat.now_ms)),
        "charged_millipoints": beat.charged_millipoints,
        "outcome": beat.outcome,
    }
    return PlaybackAnswer.model_validate(values)


def start_answer(call: Call, opened: Opened) -> StartAnswer:
    """Return a newly opened session."""
    index = opened.stream.live_start_index if opened.stream else LIVE_START_INDEX
    return StartAnswer(**playback_answer(call, opened).model_dump(), live_start_index=index)


def stream_answer(view: StreamView) -> StreamAnswer:
    """Return a stream for viewers."""
    return StreamAnswer.model_validate(_stream_values(view))


def stream_settings_answer(call: Call, view: StreamView) -> StreamSettingsAnswer:
    """Return a stream for operators."""
    values = {**_stream_values(view), "ingest_address": _ingest_address(call, view.stream)}
    return StreamSettingsAnswer.model_validate(values)


def _ingest_address(call: Call, stream: Stream) -> RtmpAddressAnswer | SrtAddressAnswer | None:
    settings, listening = call.services.settings, stream.listening
    if listening is None:
        return None
    if listening.port is not None:
        return SrtAddressAnswer(url=srt_sender_url(settings.ingest_host, listening.port, stream.ingest_key))
    return RtmpAddressAnswer(
        server=rtmp_server(settings.ingest_host, settings.rtmp_port),
        stream_key=rtmp_stream_key(stream.stream_id, stream.ingest_key),
    )


def _stream_values(view: StreamView) -> dict[str, object]:
    stream = view.stream
    derived = {"renditions": view.renditions, "live_start_index": stream.live_start_index}
    return {**vars(stream), **derived, "state": view.state}
