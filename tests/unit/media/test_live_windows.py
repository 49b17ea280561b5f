from tests.media.serving import window

HEAD = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:100\n"
ENTRIES = [f"#EXTINF:2.000000,\ns{n}.ts\n" for n in range(9)]
WHOLE = HEAD + "".join(ENTRIES) + "#EXT-X-ENDLIST\n"


def named(text: str) -> list[str]:
    return [line.removesuffix(".ts") for line in text.splitlines() if line.startswith("s")]


def number(text: str) -> int:
    return int(text.partition("#EXT-X-MEDIA-SEQUENCE:")[2].partition("\n")[0])


def test_a_window_slides_by_the_clock():
    assert named(window(WHOLE, 0.0)) == ["s0", "s1", "s2"]
    later = window(WHOLE, 7.0)
    assert (named(later), number(later)) == (["s1", "s2", "s3", "s4", "s5"], 101)
    last = window(WHOLE, 999.0)
    assert named(last)[-1] == "s8" and "ENDLIST" not in last


def test_a_repeating_server_names_the_same_numbers_again():
    assert window(WHOLE, 18.0, repeats=True) == window(WHOLE, 0.0)


def test_discontinuities_stay_with_their_segments():
    fresh = "#EXT-X-DISCONTINUITY\n"
    text = HEAD + fresh.join(ENTRIES)
    assert window(text, 0.0).count(fresh) == 2
    later = window(text, 7.0)
    assert later.count(fresh) == 5 and "#EXT-X-DISCONTINUITY-SEQUENCE:0" not in later
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in window(text, 9.0)
