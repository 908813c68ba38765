"""Networks: generators, discriminators, text and image encoders."""
