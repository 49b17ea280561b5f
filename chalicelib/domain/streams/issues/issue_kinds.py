"""The severity of each type of ingest issue, what to do about it, and how long it lasts before it opens and closes."""

from dataclasses import dataclass

from chalicelib.domain.streams.issues.ingest_issues import IngestIssue, IssueType, Severity


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
        # A measurement takes 20 s. One alone may be of a jump or a gap.
        opens_after_s=25.0,
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
    IssueType.NO_SENDER: IssueKind(
        severity=Severity.ERROR,
        advice="Start the sender. Its server and key are in `ingest_address` of the stream.",
        opens_after_s=10.0,
    ),
    IssueType.WRONG_KEY: IssueKind(
        severity=Severity.ERROR,
        advice="Copy the stream's present key into the sender: the stream key by RTMP, the passphrase by SRT.",
        closes_after_s=5.0,
    ),
    IssueType.SENDER_REJECTED: IssueKind(
        severity=Severity.WARNING,
        advice="Stop a second sender, or set the sender to RTMP with H.264. `ingest_refusals` of the stream's log says "
        "which of these it is.",
        closes_after_s=5.0,
    ),
    IssueType.SENDER_RECONNECTS: IssueKind(
        severity=Severity.WARNING,
        advice="Check the sender's network. Lower its bitrate, use a cable, or send by SRT, which repeats lost "
        "packets.",
    ),
    IssueType.SOURCE_FAILING: IssueKind(
        severity=Severity.ERROR,
        advice="Check that the source's server is there and sends. The source is tried again by itself, up to "
        "every 30 s.",
        opens_after_s=10.0,
        closes_after_s=10.0,
    ),
    IssueType.SOURCE_REFUSED: IssueKind(
        severity=Severity.ERROR,
        advice="Change the source or the stream's settings as `actual` says.",
        closes_after_s=10.0,
    ),
    IssueType.CODEC_REFUSED: IssueKind(
        severity=Severity.ERROR,
        advice="Send H.264 and AAC, or choose a profile that encodes. By RTMP HEVC cannot be sent; use SRT.",
        closes_after_s=10.0,
    ),
    IssueType.PICTURE_MISSING: IssueKind(
        severity=Severity.ERROR,
        advice="Check that the sender has a video source and encodes it as H.264. By RTMP HEVC cannot be sent; "
        "use SRT.",
        opens_after_s=10.0,
    ),
    IssueType.AUDIO_ABSENT: IssueKind(
        severity=Severity.INFO,
        advice="Add a sound track in the sender, if the stream should have sound. Viewers hear silence.",
        opens_after_s=10.0,
        closes_after_s=10.0,
    ),
    IssueType.PICTURE_SIZE_CHANGED: IssueKind(
        severity=Severity.INFO,
        advice="Set one output size in the sender for all scenes.",
    ),
    IssueType.INTERLACED: IssueKind(
        severity=Severity.INFO,
        advice="Set camera or sender to progressive pictures (25p in place of 50i). They are deinterlaced "
        "meanwhile, except by the profile `source`.",
        opens_after_s=10.0,
        closes_after_s=10.0,
    ),
    IssueType.ROTATED: IssueKind(
        severity=Severity.INFO,
        advice="Turn the camera or the phone, or set the orientation in the sender. The picture is turned meanwhile.",
        opens_after_s=10.0,
        closes_after_s=10.0,
    ),
    IssueType.KEYFRAMES_FAR_APART: IssueKind(
        severity=Severity.WARNING,
        advice="Set the keyframe interval of the sender to 2 s (OBS: Output, Streaming, Keyframe Interval).",
        closes_after_s=20.0,
    ),
    IssueType.BITRATE_LOW: IssueKind(
        # With a variable bitrate, a dark scene looks the same as a bad upstream.
        severity=Severity.INFO,
        advice="If the picture hardly moves, this is as it should be. Else check the sender's upstream, and set a "
        "bitrate that it always has, with rate control CBR.",
        opens_after_s=10.0,
        closes_after_s=20.0,
    ),
    IssueType.BITRATE_ABOVE_LADDER: IssueKind(
        severity=Severity.INFO,
        advice="Lower the sender's bitrate, or add a better rendition to the ladder. Viewers do not get more.",
        opens_after_s=30.0,
        closes_after_s=30.0,
    ),
    IssueType.FRAME_RATE_UNSTEADY: IssueKind(
        severity=Severity.WARNING,
        advice="Set a fixed frame rate in the sender, and check that it has processor time for it.",
        opens_after_s=10.0,
        closes_after_s=20.0,
    ),
    IssueType.FRAMES_DROPPED: IssueKind(
        severity=Severity.WARNING,
        advice="Send no more pictures a second than `fps_max`, at equal distances. If the worker is busy, move a "
        "stream to another one.",
        opens_after_s=10.0,
        closes_after_s=20.0,
    ),
    IssueType.ENCODER_SLOW: IssueKind(
        severity=Severity.ERROR,
        advice="Move streams to another worker, lower TOLLCAST_WORKER_CAPACITY, or choose a smaller ladder.",
        opens_after_s=10.0,
        closes_after_s=20.0,
    ),
    IssueType.UPLOAD_SLOW: IssueKind(
        severity=Severity.WARNING,
        advice="Check the network between worker and media store. Choose a smaller ladder or longer segments.",
        opens_after_s=5.0,
        closes_after_s=20.0,
    ),
    IssueType.STORE_FAILING: IssueKind(
        severity=Severity.ERROR,
        advice="Check the media store, its credentials and the network. Segments are kept and tried again for 20 s.",
        closes_after_s=15.0,
    ),
    IssueType.ON_BACKUP: IssueKind(
        severity=Severity.WARNING,
        advice="See the issues of the sources before it. The stream goes back to them by itself.",
    ),
    IssueType.ON_SLATE: IssueKind(
        severity=Severity.ERROR,
        advice="See the issues of the sources. Viewers see a still picture and pay nothing meanwhile.",
    ),
    IssueType.DISK_LOW: IssueKind(
        severity=Severity.ERROR,
        advice="Free space on the worker's TOLLCAST_WORK_DIR, or move it to a larger disk.",
        closes_after_s=30.0,
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

SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def by_severity(issue: IngestIssue) -> tuple[int, int]:
    """Return a sort key: the most severe issue first, of equal ones that which began first."""
    return SEVERITIES.index(KINDS[issue.type].severity), issue.since_ms
