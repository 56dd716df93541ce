"""JSON Schema 2020-12 within bounds: read, checked in linear time, told in short."""
