"""A typed client of the REST interface for other programs: `plumbline_client.py` is one file to copy, made of `transport.py` and of the schema by `make client`."""
