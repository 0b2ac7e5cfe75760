/* RISC-V: the core's own count of retired instructions. */
#include "board_internal.h"

void board_counter_start(void) {}

uint64_t board_counter_read(void) {
    uint32_t high_before;
    uint32_t low;
    uint32_t high_after;
    uint32_t wrapped;
    __asm__ volatile(
        ".option push\n\t"
        ".option arch, +zicsr\n\t"
        "rdinstreth %0\n\t"
        "rdinstret %1\n\t"
        "rdinstreth %2\n\t"
        ".option pop"
        : "=&r"(high_before), "=&r"(low), "=&r"(high_after));
    /* Where the low half wrapped between the readings, a small `low` belongs to the new half. */
    wrapped = (high_after - high_before) & ~(low >> 31);
    return ((uint64_t)(high_before + wrapped) << 32) | low;
}
