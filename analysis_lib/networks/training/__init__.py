"""Training and fine-tuning that go on where they were stopped."""
