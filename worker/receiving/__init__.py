"""The process that opens one source, corrects its time stamps, and copies its packets to the worker."""
