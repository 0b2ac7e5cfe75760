"""What the emitted C takes on Cortex-M: executed instructions and bytes, the same in every run."""
