"""HTTP: routes, wire models, and the translation of errors. No rule of the product lives here."""
