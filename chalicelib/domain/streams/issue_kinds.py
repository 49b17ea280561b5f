"""The severity of each type of ingest issue, what to do about it, and how long it lasts before it opens and closes."""

from dataclasses import dataclass

from chalicelib.domain.streams.ingest_issues import IssueType, Severity


@dataclass(frozen=True, kw_only=True)
class IssueKind:
    """What all issues of a type have in common. `advice` says which setting to change, or what else to do.

    An issue opens when it was found for `opens_after_s` without a break, and closes when it was not found for
    `closes_after_s`.
    """

    severity: Severity
    advice: str
    opens_after_s: float = 0.0
    closes_after_s: float = 0.0


# Repairs are judged every 10 s over the last 10 s to 10 minutes, so their issues need no time to open or close.
KINDS: dict[IssueType, IssueKind] = {
    IssueType.AUDIO_MISSING: IssueKind(
        severity=Severity.ERROR,
        advice="Check that the sender's microphone or mixer is selected and not muted. Viewers hear silence.",
        closes_after_s=10.0,
    ),
    IssueType.AUDIO_GAPS: IssueKind(
        severity=Severity.WARNING,
        advice="Packets may be lost on the way. Lower the sender's bitrate, use a cable, or send by SRT with a latency "
        "of at least four times the round trip.",
        closes_after_s=30.0,
    ),
    IssueType.AUDIO_DRIFT: IssueKind(
        severity=Severity.INFO,
        advice="Set sound card and sender to the same sample rate (48 kHz), or take sound and picture from one device. "
        "The sound is stretched meanwhile.",
        closes_after_s=60.0,
    ),
    IssueType.PICTURE_PAUSED: IssueKind(
        severity=Severity.WARNING,
        advice="Check the sender's camera or scene, and its frame rate. Viewers see the last picture.",
        closes_after_s=10.0,
    ),
    IssueType.PICTURE_FROZEN: IssueKind(
        severity=Severity.ERROR,
        advice="Check the camera or the programme that is sent. The source is played again once it moves or is heard. "
        "`frozen_after_s` of the stream sets how long it may stand still.",
    ),
    IssueType.TIMESTAMP_JUMPS: IssueKind(
        severity=Severity.WARNING,
        advice="Restart the sender. If it changes scenes or files, let it encode all of them with one encoder. "
        "The time stamps are corrected meanwhile.",
    ),
    IssueType.FORMAT_CHANGES: IssueKind(
        severity=Severity.WARNING,
        advice="Send one format: the same size, frame rate, codec and sample rate all the time.",
    ),
    IssueType.DAMAGED_MEDIA: IssueKind(
        severity=Severity.WARNING,
        advice="Packets are damaged on the way or by the encoder. Lower the sender's bitrate, use a cable, or send by "
        "SRT with a higher latency.",
    ),
    IssueType.PUBLISHED_FAULTY: IssueKind(
        severity=Severity.ERROR,
        advice="The encoder was replaced. If this repeats, restart the stream and keep its log for a report.",
    ),
    IssueType.NO_WORKER: IssueKind(
        severity=Severity.ERROR,
        advice="Start a worker. `GET /workers` lists those that are present.",
    ),
    IssueType.NO_CAPACITY: IssueKind(
        severity=Severity.ERROR,
        advice="Start another worker, raise TOLLCAST_WORKER_CAPACITY, or stop a stream.",
    ),
}
