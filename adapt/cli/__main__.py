"""Lets `python -m adapt.cli` stand in for the `adapt` command."""

from adapt.cli import main

main()
