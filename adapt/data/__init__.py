"""Readers of public datasets and of frozen dataset folders."""
