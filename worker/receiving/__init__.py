"""The process that opens one source, puts its time stamps in order, and copies its packets to the worker."""
