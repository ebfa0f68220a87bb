"""What many observations say together. A conclusion is one module here with a ``CONCLUSIONS`` tuple; ``triage/scan/conclude.py`` finds it."""
