"""The cloud port (`model`, `ports`) and its adapters. Nothing above knows which cloud it drives."""
