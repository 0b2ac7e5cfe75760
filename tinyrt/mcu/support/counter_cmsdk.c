/* CMSDK APB timer (32 bits, counting down) and, for its wraps, the 100 Hz counter of the FPGA's
 * I/O block.  No branches: every reading costs the same number of instructions. */
#include "board_internal.h"

#define TIMER_CONTROL (*(volatile uint32_t *)(BOARD_TIMER + 0x00u))
#define TIMER_VALUE (*(volatile uint32_t *)(BOARD_TIMER + 0x04u))
#define TIMER_RELOAD (*(volatile uint32_t *)(BOARD_TIMER + 0x08u))
#define COARSE_100HZ (*(volatile uint32_t *)(BOARD_FPGAIO + 0x14u))

static uint32_t coarse_at_start;

void board_counter_start(void) {
    TIMER_CONTROL = 0;
    TIMER_RELOAD = UINT32_MAX;
    TIMER_VALUE = UINT32_MAX;
    coarse_at_start = COARSE_100HZ;
    TIMER_CONTROL = 1;
}

uint64_t board_counter_read(void) {
    const uint32_t fine = UINT32_MAX - TIMER_VALUE;
    const uint64_t rough = (uint64_t)(COARSE_100HZ - coarse_at_start) * BOARD_TICKS_PER_COARSE;
    /* `rough` is off by at most a few coarse steps: of the numbers that end in the 32 bits of
     * `fine`, the nearest one is meant. */
    const int32_t correction = (int32_t)(fine - (uint32_t)rough);
    const uint64_t ticks = rough + (uint64_t)(int64_t)correction;
    return (ticks * BOARD_SCALE_NUMERATOR + (1u << (BOARD_SCALE_SHIFT - 1))) >> BOARD_SCALE_SHIFT;
}
