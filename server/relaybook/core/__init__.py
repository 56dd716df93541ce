"""The rules: values in, values out. Each folder is one subject; what several share stands here."""
