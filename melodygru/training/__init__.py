"""All that learns: the network in torch, its layers, batches, the loop, and what of it is kept."""
