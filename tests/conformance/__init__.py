"""The server held against programs of others: `make conformance`.

Pytest collects nothing here: what these checks need is fetched from registries.
"""
