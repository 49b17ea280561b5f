"""Use cases. They use the domain and the ports, and know nothing of AWS or HTTP."""
