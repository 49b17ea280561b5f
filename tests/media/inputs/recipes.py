"""Pieces of ffmpeg commands of which inputs are made: a picture that can be read, a sound that can be heard out.

The picture has four corners of distinct colours, a badge, a clock of seconds in 8 bits and a flash; the sound is a tone
with a beep. A pulse shows that the picture moves. Flash and beep come together every two seconds.
"""

FLASH_EVERY_S, FLASH_S = 2, 0.12
PULSES_PER_S = 4
# Clockwise from the top left.
CORNERS = ("red", "lime", "yellow", "blue")
CLOCK_BITS = 8
X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50"
AAC = "-c:a aac -ac 2 -b:a 96k"
# A transport stream with a packet of sound in each PES packet, so that one alone can be cut out or moved.
TS = "-f mpegts -pes_payload_size 0"


def marks(badge: str = "white") -> str:
    """Filters that draw what `tests.media.judging.picture` reads, in shares of the picture's size."""
    boxes = [
        ("0", "0", "iw/8", "ih/8", CORNERS[0], ""),
        ("iw*7/8", "0", "iw/8", "ih/8", CORNERS[1], ""),
        ("iw*7/8", "ih*7/8", "iw/8", "ih/8", CORNERS[2], ""),
        ("0", "ih*7/8", "iw/8", "ih/8", CORNERS[3], ""),
        ("iw/16", "ih*3/8", "iw/8", "ih/4", badge, ""),
        ("iw*13/16", "ih*3/8", "iw/8", "ih/4", "black", ""),
        ("iw*13/16", "ih*3/8", "iw/8", "ih/4", "gray", f"mod(floor(t*{PULSES_PER_S}),2)"),
        ("iw*3/8", "ih/4", "iw/4", "ih/4", "black", ""),
        ("iw*3/8", "ih/4", "iw/4", "ih/4", "white", f"lt(mod(t,{FLASH_EVERY_S}),{FLASH_S})"),
        ("iw/4", "ih*9/16", "iw/2", "ih/8", "black", ""),
    ]
    for bit in range(CLOCK_BITS):
        boxes.append((f"iw*{4 + bit}/16", "ih*9/16", "iw/16", "ih/8", "white", f"mod(floor(t/{1 << bit}),2)"))
    return ",".join(
        f"drawbox=x={x}:y={y}:w={w}:h={h}:c={color}:t=fill" + (f":enable='{when}'" if when else "")
        for x, y, w, h, color, when in boxes
    )


def picture(
    size: str = "320x180", rate: str = "25", *, badge: str = "white", source: str = "testsrc", then: str = ""
) -> str:
    """An input with the picture; `then` are more filters."""
    return f'-f lavfi -i "{source}=s={size}:r={rate},{marks(badge)}{"," + then if then else ""}"'


def moving_bar(width: int, height: int, rate: str, then: str = "null") -> str:
    """An input with the picture, in which a white bar runs through a black band: combs show at its edges."""
    band = "drawbox=x=iw/8:y=ih*3/4:w=iw*3/4:h=ih/8:c=black:t=fill"
    still = f"testsrc=s={width}x{height}:r={rate},{marks()},{band}[still]"
    bar = f"color=white:s={width // 8}x{height // 8}:r={rate}[bar]"
    return f"-f lavfi -i \"{still};{bar};[still][bar]overlay=x='W/8+mod(t*W,W*5/8)':y=H*3/4,{then}\""


def tone(hz: int = 440, rate: int = 48_000, *, seconds: str = "", ppm: int = 0) -> str:
    """An input with the sound, in one channel; `-ac` and `-ar` make more of it.

    `ppm`: a sound card's clock is so slow, so what it records comes sooner by its own count.
    """
    now = f"(t*{1 + ppm / 1e6:.6f})" if ppm else "t"
    beep = f"0.5*sin(2*PI*1000*t)*lt(mod({now},{FLASH_EVERY_S}),{FLASH_S})"
    length = f":d={seconds}" if seconds else ""
    return f"-f lavfi -i \"aevalsrc='0.06*sin(2*PI*{hz}*t)+{beep}':s={rate}{length}\""


def clip(
    out: str, seconds: float = 20, *, video: str = "", audio: str = "", encode: str = "", sound: bool = True
) -> str:
    """Return a command for a clip: 320x180, 25 pictures a second, H.264, stereo AAC at 48 kHz, or as `encode` says."""
    sources = f"{video or picture()} {audio or tone()}" if sound else video or picture()
    return f"ffmpeg {sources} -t {seconds:g} {X264} {AAC} {encode} {TS + ' ' if out.endswith('.ts') else ''}{out}"
