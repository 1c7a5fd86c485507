"""What `hotline doctor` looks at, a file for each thing."""
