"""The service as interfaces that others speak already, each off unless it is switched on."""
