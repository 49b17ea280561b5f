"""Viewers who try to watch more than they pay for, against the real gateway, and a judge of what each obtained."""
