"""`python -m tollcast_admin` runs the `tollcast-admin` command."""

from tollcast_admin.cli import main

main(prog_name="tollcast-admin")
