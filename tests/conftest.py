"""What all tests share: fixed seeds for hypothesis, and no timing limits on shared machines."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "melodygru", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("melodygru")
