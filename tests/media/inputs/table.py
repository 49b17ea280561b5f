"""The table of all inputs, by subject: each subject has a module beside this one."""

from tests.media.inputs.containers import CONTAINERS
from tests.media.inputs.model import Input
from tests.media.inputs.presence import PRESENCE
from tests.media.inputs.pulled import PULLED
from tests.media.inputs.shapes import SHAPES
from tests.media.inputs.sound import SOUND
from tests.media.inputs.stamps import STAMPS_AND_CHANGES
from tests.media.inputs.tracks import ALL_TRACKS

SUBJECTS: dict[str, tuple[Input, ...]] = {
    "Sound that is not regular": SOUND,
    "What is not there all the time": PRESENCE,
    "Time stamps, and formats that change": STAMPS_AND_CHANGES,
    "Shapes and colours": SHAPES,
    "Programmes and tracks": ALL_TRACKS,
    "Containers, senders and damage": CONTAINERS,
    "Pulled sources": PULLED,
}
INPUTS: tuple[Input, ...] = tuple(item for items in SUBJECTS.values() for item in items)
BY_NAME: dict[str, Input] = {item.name: item for item in INPUTS}
