/* A checksum over data of every kind of section, and over float arithmetic. */
#include <string.h>

#include "tinyrt_board.h"

static const uint8_t constants[4 * 1024 * 1024] = {1, 2, 3};
static uint8_t variables[5] = {10, 20, 30, 40, 50};
static uint8_t zeroed[3 * 1024 * 1024];

int main(void) {
    float scaled[16];
    uint32_t crc;
    board_init();
    crc = board_crc32(0, constants, sizeof constants);
    board_write("constants ");
    board_write_hex32(crc);
    crc = board_crc32(0, variables, sizeof variables);
    crc = board_crc32(crc, zeroed, sizeof zeroed);
    board_write("\nvariables ");
    board_write_hex32(crc);
    memset(zeroed, 0x5a, sizeof zeroed);
    memcpy(zeroed + 1, variables, sizeof variables);
    crc = board_crc32(0, zeroed, sizeof zeroed);
    board_write("\nmoved ");
    board_write_hex32(crc);
    for (int i = 0; i < 16; ++i) {
        scaled[i] = (float)(i - (int)variables[0]) * 0.1f + 0.25f;
    }
    board_write("\nfloats ");
    board_write_hex32(board_crc32(0, scaled, sizeof scaled));
    board_write("\nlargest ");
    board_write_u64(UINT64_MAX);
    board_write("\nno newline at the end");
    return 0;
}
