"""How good a model is, and why: likelihood, statistics, cells compared, what happens inside, a critic."""
