"""From sequences to the tensors that networks take."""
