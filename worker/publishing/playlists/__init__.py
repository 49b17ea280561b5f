"""Playlists as text, without I/O: media playlists, the multivariant playlist, and what it says of renditions."""
