"""The digest of many outcomes, a section to a module; `synthesis` puts it together."""
