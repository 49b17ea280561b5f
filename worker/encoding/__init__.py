"""One run: its process, what it reports, and how copied sources are cut."""
