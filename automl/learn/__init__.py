"""A split becomes a model: families, search, ensemble."""

import os

# LightGBM, torch and scikit-learn each bring an OpenMP runtime whose idle threads spin. With more runtimes (or processes) than cores they spin in each
# other's way: fits took ten times as long on a busy machine. Read when those libraries load, so it stands before any of them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
