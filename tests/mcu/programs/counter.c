/* Loops of known length between two readings of the instruction counter. */
#include "tinyrt_board.h"

/* Two instructions a turn. */
static void loop(uint32_t turns) {
#if defined(__arm__)
    __asm__ volatile("1: subs %0, %0, #1\n\tbne 1b" : "+r"(turns) : : "cc");
#elif defined(__riscv)
    __asm__ volatile("1: addi %0, %0, -1\n\tbnez %0, 1b" : "+r"(turns));
#else
    (void)turns;
#endif
}

/* One body, so that what lies around the loop is the same each time. */
__attribute__((noinline)) static uint64_t instructions_of(uint32_t turns) {
    const uint64_t start = board_instructions();
    loop(turns);
    return board_instructions() - start;
}

static uint64_t instructions_of_nothing(void) {
    const uint64_t start = board_instructions();
    return board_instructions() - start;
}

int main(void) {
    static const uint32_t turns[] = {1, 2, 3, 10, 1000, 1000000, LONGEST};
    uint64_t start;
    uint64_t sum = 0;
    board_init();
    board_write("0 ");
    board_write_u64(instructions_of_nothing());
    board_write("\n");
    start = board_instructions();
    for (uint32_t i = 0; i < sizeof turns / sizeof *turns; ++i) {
        board_write_u64(turns[i]);
        board_write(" ");
        board_write_u64(instructions_of(turns[i]));
        board_write("\n");
    }
    /* Many short ones: an error of a fraction each would add up. */
    for (uint32_t i = 0; i < 20000; ++i) {
        sum += instructions_of(1 + i % 7);
    }
    board_write("sum ");
    board_write_u64(sum);
    board_write("\nall ");
    board_write_u64(board_instructions() - start);
    board_write("\n");
    return 0;
}
