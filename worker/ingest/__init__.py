"""Where the picture comes from: opening, watching and choosing sources, and the guard of untrusted ones."""
