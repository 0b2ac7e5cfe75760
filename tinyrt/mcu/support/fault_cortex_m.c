/* What the fault registers of an Arm M-profile core say. */
#include "board_internal.h"

#define CFSR (*(volatile uint32_t *)0xe000ed28u)
#define MMFAR (*(volatile uint32_t *)0xe000ed34u)
#define BFAR (*(volatile uint32_t *)0xe000ed38u)

enum {
    MEMORY_ADDRESS_VALID = 1 << 7,
    BUS_ADDRESS_VALID = 1 << 15,
    STACKING = 1 << 4 | 1 << 12,
    UNDEFINED_INSTRUCTION = 1 << 16,
    INVALID_STATE = 1 << 17,
    UNALIGNED = 1 << 24,
    DIVISION_BY_ZERO = 1 << 25
};

enum { FRAME_WORDS = 8, FRAME_PC = 6 };

void board_fault(uint32_t exception, const uint32_t *frame) {
    const uint32_t cause = CFSR;
    const int frame_readable =
        frame >= board_stack_base && frame + FRAME_WORDS <= board_stack_top;
    const uint32_t pc = frame_readable ? frame[FRAME_PC] : 0u;
    const char *what = "exception";
    uint32_t address = 0;
    if ((cause & BUS_ADDRESS_VALID) != 0u) {
        address = BFAR;
    } else if ((cause & MEMORY_ADDRESS_VALID) != 0u) {
        address = MMFAR;
    }
    if (!frame_readable || (cause & STACKING) != 0u) {
        what = "stack overflow";
    } else if ((cause & DIVISION_BY_ZERO) != 0u) {
        what = "division by zero";
    } else if ((cause & UNALIGNED) != 0u) {
        what = "unaligned access";
    } else if ((cause & (UNDEFINED_INSTRUCTION | INVALID_STATE)) != 0u) {
        what = "undefined instruction";
    } else if (cause != 0u) {
        what = "bad address"; /* a bus fault, or one of the memory protection unit */
    }
    board_report_fault(what, pc, cause != 0u ? cause : exception, address);
}
