"""The process that makes one run's segments: it repairs sound and picture, encodes the ladder, or passes packets on."""
