"""Few-shot adaptation of a pretrained generator."""
