"""Large multimodal models tuned by low-rank adapters: samples in, an adapter with calibrated scores out."""
