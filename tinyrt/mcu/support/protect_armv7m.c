/* The MPS2 boards ignore accesses to addresses where nothing is.  With the memory protection unit
 * on and no background map, they fault instead; so do writes to code and through null pointers. */
#include "board_internal.h"

#define MPU_CONTROL (*(volatile uint32_t *)0xe000ed94u)
#define MPU_REGION_BASE (*(volatile uint32_t *)0xe000ed9cu)
#define MPU_REGION_ATTRIBUTES (*(volatile uint32_t *)0xe000eda0u)

enum { REGION_VALID = 1 << 4, CONTROL_ENABLE = 1 };

/* Sizes are powers of two and origins multiples of them, as Armv7-M wants it: 2**(field + 1). */
enum { SIZE_FIELD = 1, REGION_ENABLE = 1 };
#define READ_ONLY (6u << 24)
#define READ_WRITE (3u << 24)
#define NEVER_EXECUTE (1u << 28)
#define NORMAL_MEMORY (1u << 19 | 3u << 16)
#define DEVICE_MEMORY (1u << 16)

#define PERIPHERALS ((const uint32_t *)0x40000000u)
#define PERIPHERALS_END ((const uint32_t *)0x60000000u)

static void allow(uint32_t region, const uint32_t *base, const uint32_t *end,
                  uint32_t attributes) {
    const uint32_t origin = (uint32_t)(uintptr_t)base;
    const uint32_t bytes = (uint32_t)(uintptr_t)end - origin;
    uint32_t size_field = 0;
    while ((bytes >> (size_field + 1u)) != 1u) {
        ++size_field;
    }
    MPU_REGION_BASE = origin | (uint32_t)REGION_VALID | region;
    MPU_REGION_ATTRIBUTES = attributes | size_field << SIZE_FIELD | (uint32_t)REGION_ENABLE;
}

void board_protect(void) {
    const uint32_t data = READ_WRITE | NEVER_EXECUTE | NORMAL_MEMORY;
    allow(0, board_code_base, board_code_end, READ_ONLY | NORMAL_MEMORY);
    allow(1, board_bulk_base, board_bulk_end, data);
    allow(2, board_stack_base, board_stack_top, data);
    allow(3, PERIPHERALS, PERIPHERALS_END, READ_WRITE | NEVER_EXECUTE | DEVICE_MEMORY);
    MPU_CONTROL = CONTROL_ENABLE;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}
