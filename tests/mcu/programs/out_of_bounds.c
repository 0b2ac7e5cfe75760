/* Undefined behaviour that only a sanitizer notices. */
#include "tinyrt_board.h"

uint8_t read_at(const volatile uint8_t *bytes, int index);

/* Behind a pointer, where only the address sanitizer knows the array's end. */
__attribute__((noinline)) uint8_t read_at(const volatile uint8_t *bytes, int index) {
    return bytes[index];
}

int main(int argc, char **argv) {
    (void)argv;
    board_init();
#if KIND == 0
    static volatile uint8_t bytes[16];
    board_write_u64(read_at(bytes, 15 + argc));
#else
    volatile int32_t sum = INT32_MAX;
    sum += argc;
    board_write_u64((uint64_t)sum);
#endif
    return 0;
}
