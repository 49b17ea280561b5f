"""Wire models with their bounds. Amounts are integer millipoints, times are server milliseconds."""
