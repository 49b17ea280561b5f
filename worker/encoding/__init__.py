"""What a run is to make of a source: copied or encoded, at which rate, and the process that makes it."""
