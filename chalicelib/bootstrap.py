"""Composition root: builds services from adapters, each once and only when first asked for."""
