"""ffmpeg: how it is called, what it says, and one run of it."""
