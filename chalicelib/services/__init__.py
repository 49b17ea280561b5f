"""Use cases, one file a part of the product. They know the rules and the ports, nothing of AWS or HTTP."""
