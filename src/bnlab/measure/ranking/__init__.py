"""How well a score ranks nets: rank correlation and the indicator of BN-NAS."""
