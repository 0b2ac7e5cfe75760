/* Frames of known size: what painting measures lies within what the compiler reports. */
#include "tinyrt_board.h"

uint32_t outer(volatile uint8_t *bytes);
uint32_t inner(volatile uint8_t *bytes);

__attribute__((noinline)) uint32_t inner(volatile uint8_t *bytes) {
    volatile uint8_t frame[300];
    for (uint32_t i = 0; i < sizeof frame; ++i) {
        frame[i] = bytes[i & 7u];
    }
    return frame[9];
}

__attribute__((noinline)) uint32_t outer(volatile uint8_t *bytes) {
    volatile uint8_t frame[100];
    for (uint32_t i = 0; i < sizeof frame; ++i) {
        frame[i] = bytes[i & 7u];
    }
    return inner(frame) + frame[1];
}

int main(void) {
    volatile uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    board_init();
    board_paint_stack();
    board_write_u64(board_stack_used());
    board_write(" ");
    board_paint_stack();
    (void)outer(bytes);
    board_write_u64(board_stack_used());
    board_write("\n");
    return 0;
}
