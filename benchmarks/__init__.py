"""What the product costs: requests, processor time, memory. `python -m benchmarks` prints it as one table."""
