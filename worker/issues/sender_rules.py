"""Issues of senders, and of sources that cannot be played."""

from collections.abc import Collection

from chalicelib.domain.streams.issues.ingest_issues import Finding, IssueType
from chalicelib.domain.streams.issues.ingest_refusals import WAITING_FOR_SENDER, IngestRefusal, RefusalCode
from worker.issues.observation import Observation, Trouble
from worker.issues.tracker import Verdicts

# A rejection is over when none has come for so long.
REJECTED_S = 60.0
# A sender that began so often in five minutes, of which each but the first time is a reconnection.
CONNECTIONS_MIN, CONNECTIONS_S = 4, 300.0
# An open issue stays open while it began at least so often in two minutes.
CONNECTIONS_STAY, CONNECTIONS_STAY_S = 2, 120.0
# In the reasons of `worker.ingest` for a sender of whom no picture comes.
WITHOUT_PICTURE = ("no picture", "sent nothing")
# In its reasons for media that it cannot decode, or not copy.
OF_CODECS = ("a copied stream needs", "cannot be decoded", "can be read", "has no video")
OF_KEYS = ("passphrase", "does not encrypt")


def sender_verdicts(now_s: float, seen: Observation, open_types: Collection[IssueType], scale: float) -> Verdicts:
    """Return the verdicts on senders and on sources that are not played. `scale` is that of `IssueTracker`."""
    if seen.troubles is None:
        return {}
    waiting = _waiting(seen)
    return {
        IssueType.NO_SENDER: waiting if waiting and not _lacks_picture(waiting) else None,
        IssueType.PICTURE_MISSING: _with(waiting, "a picture in H.264") if _lacks_picture(waiting) else None,
        **_rejections(now_s, seen, scale),
        IssueType.SENDER_RECONNECTS: _reconnections(now_s, seen, open_types, scale),
        **_unplayed(seen.troubles),
    }


def _waiting(seen: Observation) -> Finding | None:
    reasons = [
        each.reason
        for each in seen.troubles or ()
        if each.source == seen.listener and each.kind == "waiting" and each.reason.startswith(WAITING_FOR_SENDER)
    ]
    return Finding(actual=reasons[0], expected="a sender that uses the stream's key") if reasons else None


def _lacks_picture(waiting: Finding | None) -> bool:
    return waiting is not None and any(words in waiting.actual for words in WITHOUT_PICTURE)


def _with(finding: Finding | None, expected: str) -> Finding | None:
    return Finding(actual=finding.actual, expected=expected) if finding else None


def _rejections(now_s: float, seen: Observation, scale: float) -> dict[IssueType, Finding | None]:
    """Return the verdicts on rejected senders. Of RTMP nothing is known before the first answer of the store."""
    found: dict[IssueType, Finding | None] = {}
    if seen.refusals is not None:
        since_ms = seen.now_ms - REJECTED_S * scale * 1000
        newest = {each.code: each for each in seen.refusals if each.last_at_ms > since_ms}
        wrong_key = newest.pop(RefusalCode.WRONG_KEY, None)
        found[IssueType.WRONG_KEY] = _refused(wrong_key, "the key of the stream")
        found[IssueType.SENDER_REJECTED] = _refused(next(iter(newest.values()), None), "one sender that is allowed")
    elif not seen.is_rtmp:
        found = {IssueType.WRONG_KEY: None, IssueType.SENDER_REJECTED: None}
    if seen.rejected and now_s - seen.rejected[1] < REJECTED_S * scale:
        why, _ = seen.rejected
        is_key = any(words in why for words in OF_KEYS)
        finding = Finding(actual=f"a sender was rejected: {why}", expected="the stream's key as passphrase")
        found[IssueType.WRONG_KEY if is_key else IssueType.SENDER_REJECTED] = finding
    return found


def _refused(refusal: IngestRefusal | None, expected: str) -> Finding | None:
    if refusal is None:
        return None
    words = refusal.detail.partition(". ")[0]
    return Finding(actual=f"{words}, {refusal.count} times in 24 h", expected=expected)


def _reconnections(now_s: float, seen: Observation, open_types: Collection[IssueType], scale: float) -> Finding | None:
    is_open = IssueType.SENDER_RECONNECTS in open_types
    least, within_s = (CONNECTIONS_STAY, CONNECTIONS_STAY_S) if is_open else (CONNECTIONS_MIN, CONNECTIONS_S)
    count = sum(now_s - at_s < within_s * scale for at_s in seen.connected_s)
    if count < least:
        return None
    actual = f"the sender connected {count} times in {within_s * scale / 60:g} minutes"
    return Finding(actual=actual, expected="one connection")


def _unplayed(troubles: Collection[Trouble]) -> dict[IssueType, Finding | None]:
    found: dict[IssueType, Finding | None] = dict.fromkeys(
        (IssueType.SOURCE_FAILING, IssueType.SOURCE_REFUSED, IssueType.CODEC_REFUSED)
    )
    for each in troubles:
        actual = f"{each.source}: {each.reason}"
        if each.kind == "broken":
            issue_type, expected = IssueType.SOURCE_FAILING, "a source that opens and sends"
        elif each.kind != "refused":
            continue
        elif any(words in each.reason for words in OF_CODECS):
            issue_type, expected = IssueType.CODEC_REFUSED, "picture and sound in formats that the profile plays"
        else:
            issue_type, expected = IssueType.SOURCE_REFUSED, "a source that the settings allow"
        # The first one is the preferred source.
        found[issue_type] = found[issue_type] or Finding(actual=actual, expected=expected)
    return found
