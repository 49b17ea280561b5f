"""Keys of objects in the media bucket."""


def media_key(stream_id: str, path: str) -> str:
    """Return an object's key in the media bucket. `path` is as in a playlist, for instance `720p/1-000042.ts`."""
    return f"streams/{stream_id}/{path}"
