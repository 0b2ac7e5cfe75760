/* Any board under QEMU, by semihosting. */
#include <stdbool.h>

#include "board_internal.h"
#include "tinyrt_board.h"

enum { LINE_BYTES = 256, FAULT_STATUS = 99, CHECK_TURNS = 2000 };

static char line[LINE_BYTES];
static uint32_t line_length;
static uint32_t counter_calls;
static uint32_t counter_cost;
static bool counter_runs;

static void send_line(void) {
    line[line_length] = '\0';
    if (line_length != 0u) {
        (void)board_semihost(BOARD_SYS_WRITE0, line);
    }
    line_length = 0;
}

void board_write(const char *text) {
    for (; *text != '\0'; ++text) {
        line[line_length++] = *text;
        if (*text == '\n' || line_length == LINE_BYTES - 1u) {
            send_line();
        }
    }
}

void board_exit(int status) {
    uint32_t block[2];
    send_line();
    block[0] = BOARD_STOPPED_APPLICATION_EXIT;
    block[1] = (uint32_t)status;
    (void)board_semihost(BOARD_SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

void board_report_fault(const char *what, uint32_t pc, uint32_t cause, uint32_t address) {
    if (line_length != 0u) {
        board_write("\n");
    }
    board_write("fault: ");
    board_write(what);
    board_write(" pc 0x");
    board_write_hex32(pc);
    board_write(" cause 0x");
    board_write_hex32(cause);
    board_write(" address 0x");
    board_write_hex32(address);
    board_write("\n");
    board_exit(FAULT_STATUS);
}

/* Never inlined: what a call costs is measured once, and holds for all of them. */
__attribute__((noinline)) uint64_t board_instructions(void) {
    const uint64_t count = board_counter_read() - (uint64_t)counter_calls * counter_cost;
    ++counter_calls;
    return counter_runs ? count : 0u;
}

static uint32_t count_of_loop(void) {
    const uint32_t start = (uint32_t)board_counter_read();
    for (volatile uint32_t turn = 0; turn < CHECK_TURNS; ++turn) {
    }
    return (uint32_t)board_counter_read() - start;
}

void board_init(void) {
    uint32_t first;
    board_counter_start();
    /* Without -icount the counters follow the clock on the wall: never twice the same. */
    first = count_of_loop();
    counter_runs = first > CHECK_TURNS && first == count_of_loop();
    counter_cost = 0;
    first = (uint32_t)board_instructions();
    /* Between the two readings lie one call and one move, which keeps the first. */
    counter_cost = (uint32_t)board_instructions() - first - 1u;
    counter_calls = 0;
}
