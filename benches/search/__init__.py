"""The parts of benches/search_regret.py and benches/search_real.py."""
