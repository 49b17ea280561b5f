"""Write the page of all settings from their table: `python -m infra.dev.settings_page`."""

from chalicelib.setting_types import Default, Setting
from chalicelib.settings_table import SETTINGS, Part
from infra.deploy.template import PARAMETERS
from infra.local.layout import ROOT

PAGE = ROOT / "docs" / "settings.md"
OPENING = """# Settings

For operators: which environment variable does what, and which values does it allow?

`python -m infra.dev.settings_page` makes this page from `chalicelib/settings_table.py`, and a test compares them. A
missing or wrong setting ends the process with its name and what it allows. An empty one counts as missing. AWS itself
is configured by the SDK's variables (`AWS_REGION`, …).

- The parameter of a stage is the name in the CloudFormation template.
- `make up` takes the settings with † from its caller, and sets all others itself.
- Secrets are marked. All other values may be shown.
- A restarted worker takes its streams back at once if it has the same `TOLLCAST_WORKER_ID`. Two running workers with
  one id take them from each other.
- nginx on your own machine also needs `TOLLCAST_DENYLIST_DIR`.
- More about [rate limits](security.md#rate-limits), [addresses](privacy.md), [CloudFront](gateway.md#cloudfront),
  [proxies](clients.md#addresses-and-proxies).
"""


def page() -> str:
    """Return the page's text."""
    text = OPENING
    for part, settings in SETTINGS.items():
        columns = ["setting", "default", "allowed", "meaning", *(["parameter"] if part is Part.STAGE else [])]
        rows = [columns, ["---"] * len(columns), *(_cells(each)[: len(columns)] for each in settings)]
        text += f"\n## {part.name.title()}\n\nRead by {part.value}.\n\n"
        text += "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return text


def _cells(setting: Setting) -> list[str]:
    default = "needed" if setting.default is None else f"`{setting.default}`" if setting.default else "none"
    if isinstance(setting.default, Default):
        default = setting.default.description
    name = f"`{setting.name}`" + " †" * setting.is_choosable + " (secret)" * setting.is_secret
    local = f"; locally `{setting.local}`" if setting.is_choosable and setting.local else ""
    parameter = f"`{setting.parameter}`" if setting.parameter in PARAMETERS else ""
    return [name, default, setting.kind.allowed, setting.meaning + local, parameter]


if __name__ == "__main__":
    PAGE.write_text(page())
