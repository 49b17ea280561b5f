"""The wire models: what goes over HTTP, with its bounds. Amounts are integer millipoints, times server milliseconds."""
