"""The process that makes one run's segments: it repairs sound and picture and encodes the ladder, or copies packets."""
