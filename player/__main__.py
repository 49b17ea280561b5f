"""`python -m player` runs the `player` command."""

from player.cli import main

main(prog_name="player")
