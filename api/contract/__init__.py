"""What holds for every request: ids, compression, idempotency, and the description in OpenAPI."""
