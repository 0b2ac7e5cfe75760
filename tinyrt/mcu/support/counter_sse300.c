/* The 64-bit system counter of the SSE-300 subsystem. */
#include "board_internal.h"

#define COUNTER_CONTROL (*(volatile uint32_t *)0x58100000u)
#define COUNTER_LOW (*(volatile uint32_t *)0x58100008u)
#define COUNTER_HIGH (*(volatile uint32_t *)0x5810000cu)

void board_counter_start(void) { COUNTER_CONTROL = 1; }

uint64_t board_counter_read(void) {
    const uint32_t high_before = COUNTER_HIGH;
    const uint32_t low = COUNTER_LOW;
    /* Where the low half wrapped between the readings, a small `low` belongs to the new half. */
    const uint32_t wrapped = (COUNTER_HIGH - high_before) & ~(low >> 31);
    const uint64_t ticks = ((uint64_t)(high_before + wrapped) << 32) | low;
    return (ticks * BOARD_SCALE_NUMERATOR + (1u << (BOARD_SCALE_SHIFT - 1))) >> BOARD_SCALE_SHIFT;
}
