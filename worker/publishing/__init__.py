"""From finished segments to what viewers fetch."""
