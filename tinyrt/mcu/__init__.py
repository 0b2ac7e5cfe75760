"""Compilers, boards and emulators: builds C for a microcontroller and runs it under QEMU."""
