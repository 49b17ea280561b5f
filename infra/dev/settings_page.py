"""Write the page of all settings from their table: `python -m infra.dev.settings_page`."""

from textwrap import fill

from chalicelib.setting_types import Default, Setting
from chalicelib.settings_table import SETTINGS, Part
from infra.deploy.template import PARAMETERS
from infra.local.layout import ROOT

PAGE = ROOT / "docs" / "settings.md"
OPENING = """# Settings

For operators: which environment variable does what, and which values does it allow?

`python -m infra.dev.settings_page` makes this page from `chalicelib/settings_table.py`, and a test compares them. A
missing or wrong setting ends the process with its name and what it allows. An empty one counts as missing. None holds a
secret unless it says so. AWS itself is configured by the SDK's variables (`AWS_REGION`, …).
"""
SECTIONS = {
    Part.STAGE: (
        "Of a stage",
        "The parameter is the name in the CloudFormation template. More about [rate limits](security.md#rate-limits), "
        "[addresses](privacy.md), [CloudFront](gateway.md#cloudfront).",
    ),
    Part.WORKER: (
        "Of a worker",
        "A restarted worker with the same `TOLLCAST_WORKER_ID` takes its streams back at once. Two running workers "
        "with one id take them from each other.",
    ),
    Part.NGINX: ("Of nginx on your own machine", "`TOLLCAST_DENYLIST_DIR` is needed here."),
    Part.LOCAL: (
        "Of the local platform",
        "It takes these from its caller, too: {choosable}. It sets all others itself.",
    ),
    Part.PLAYER: ("Of the viewer's command", "More about [proxies](clients.md#addresses-and-proxies)."),
}


def page() -> str:
    """Return the page's text."""
    choices = [each for settings in SETTINGS.values() for each in settings if each.is_choosable]
    choosable = ", ".join(f"`{each.name}`" + (f" ({each.local})" if each.local else "") for each in choices)
    parts = [OPENING]
    for part, (heading, note) in SECTIONS.items():
        text = f"Read by {part.value}. {note.format(choosable=choosable)}"
        parts.append(f"\n## {heading}\n\n{fill(text, 120, break_long_words=False, break_on_hyphens=False)}\n\n")
        columns = ["setting", "default", "allowed", "meaning", *(["parameter"] if part is Part.STAGE else [])]
        rows = [columns, ["---"] * len(columns), *(_cells(each)[: len(columns)] for each in SETTINGS[part])]
        parts += [f"| {' | '.join(row)} |\n" for row in rows]
    return "".join(parts)


def _cells(setting: Setting) -> list[str]:
    match setting.default:
        case None:
            default = "needed"
        case Default(description):
            default = description
        case text:
            default = f"`{text}`" if text else "none"
    meaning = setting.meaning + (" (secret: may hold a password)" if setting.is_secret else "")
    parameter = f"`{setting.parameter}`" if setting.parameter in PARAMETERS else ""
    return [f"`{setting.name}`", default, setting.kind.allowed, meaning, parameter]


if __name__ == "__main__":
    PAGE.write_text(page())
