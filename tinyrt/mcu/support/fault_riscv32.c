/* What the trap registers of a RISC-V core say. */
#include "board_internal.h"

enum { ILLEGAL_INSTRUCTION = 2, BREAKPOINT = 3 };
enum { ADDRESS_FAULTS = 1 << 1 | 1 << 5 | 1 << 7 }; /* by cause: fetch, load, store */
enum { GUARD_BYTES = 0x10000 };

void board_fault(uint32_t cause, uint32_t pc, uint32_t address) {
    const uint32_t base = (uint32_t)(uintptr_t)board_stack_base;
    const char *what = "exception";
    if (address < base && address >= base - GUARD_BYTES) {
        what = "stack overflow";
    } else if (cause == ILLEGAL_INSTRUCTION) {
        what = "undefined instruction";
    } else if (cause == BREAKPOINT) {
        what = "trap"; /* what the compiler puts where control must not come */
    } else if (cause < 32u && ((uint32_t)ADDRESS_FAULTS >> cause & 1u) != 0u) {
        what = "bad address";
    }
    board_report_fault(what, pc, cause, address);
}
