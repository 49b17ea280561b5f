"""The egress proxy: the only way out for receivers of pulled https and rtmps sources."""
