"""HTTP: routes, wire models, and the translation of errors. It holds no rules of the product."""
