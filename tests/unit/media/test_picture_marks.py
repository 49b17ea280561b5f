from tests.media.judging import picture
from tests.media.judging.picture import GRID_HEIGHT, Area, Frame
from tests.unit.media.painting import WHOLE, painted


def turned(frame: Frame) -> Frame:
    cells = [frame.pixels[at : at + 3] for at in range(0, picture.FRAME_BYTES, 3)]
    return Frame(frame.at_s, b"".join(reversed(cells)))


def test_corners_say_which_side_is_up():
    frame = painted()
    assert picture.is_upright(frame, WHOLE)
    assert picture.corners(turned(frame), WHOLE) == ("yellow", "blue", "red", "lime")
    # Pale corners are not vivid.
    pale = Frame(0.0, bytes(90 + value // 4 for value in painted().pixels))
    assert picture.is_upright(pale, WHOLE)
    assert not picture.is_upright(pale, WHOLE, vivid=True)
    # Marks are read within black bars.
    bars = Area(22, 0, 42, GRID_HEIGHT)
    frame = painted(area=bars, badge="magenta")
    assert picture.active_area(frame) == bars
    assert picture.is_upright(frame, bars) and picture.badge(frame, bars) == "magenta"
    assert picture.active_area(Frame(0.0, bytes(picture.FRAME_BYTES))) is None


def test_the_clock_and_the_flash_are_read():
    assert [picture.clock(painted(second=second), WHOLE) for second in (0, 1, 90, 255)] == [0, 1, 90, 255]
    shown = [painted(0.0, flash=False), painted(0.04, flash=True), painted(0.08, flash=True), painted(0.12)]
    assert picture.flashes(shown, WHOLE) == [0.04]


def test_a_picture_stands_still_until_something_moves():
    frames = [painted(0.0), painted(0.5), painted(1.0), painted(1.5, second=1), painted(2.0, second=1)]
    assert picture.still_s(frames) == 1.0
    noisy = Frame(0.5, bytes(min(255, value + 9) for value in painted().pixels))
    assert not picture.differs(painted().pixels, noisy.pixels)
    assert picture.still_s([]) == 0
