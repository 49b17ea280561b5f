"""The version of the installed package."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Return the version, or `unknown` where the package is not installed."""
    try:
        return version("tollcast")
    except PackageNotFoundError:
        return "unknown"
