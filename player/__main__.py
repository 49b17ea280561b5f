"""`python -m player`: the same as the `player` command."""

from player.cli import main

main(prog_name="player")
