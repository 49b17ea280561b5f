"""Publishing: finished segments are uploaded, named by playlists, inspected and later deleted."""
