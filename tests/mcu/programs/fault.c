/* Goes wrong in the way that FAULT names. */
#include "tinyrt_board.h"

enum { BAD_ADDRESS, STACK_OVERFLOW, DIVISION, UNDEFINED, STATUS, HANG };

int descend(const volatile int *above);

int descend(const volatile int *above) {
    volatile int frame[100];
    frame[0] = *above + 1;
    return frame[0] == 0 ? 0 : descend(frame) + frame[0];
}

int main(void) {
    volatile int zero = 0;
    board_init();
    board_write("before\n");
    switch (FAULT) {
        case BAD_ADDRESS:
            *(volatile uint32_t *)(uintptr_t)0x08000000u = 1;
            break;
        case STACK_OVERFLOW:
            return descend(&zero);
        case DIVISION:
            return 5 / zero;
        case UNDEFINED:
            __builtin_trap();
        case STATUS:
            return 3;
        default:
            for (;;) {
                zero = 1;
            }
    }
    return 0;
}
