"""Child processes: started within limits, read line by line, and ended together with the worker."""
