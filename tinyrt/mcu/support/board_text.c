/* What is the same on every board: numbers as text, and the checksum. */
#include "tinyrt_board.h"

void board_write_u64(uint64_t value) {
    char digits[21];
    size_t first = sizeof digits - 1u;
    digits[first] = '\0';
    do {
        digits[--first] = (char)('0' + (int)(value % 10u));
        value /= 10u;
    } while (value != 0u);
    board_write(&digits[first]);
}

void board_write_hex32(uint32_t value) {
    char digits[9];
    for (int place = 7; place >= 0; --place) {
        digits[place] = "0123456789abcdef"[value & 15u];
        value >>= 4;
    }
    digits[8] = '\0';
    board_write(digits);
}

uint32_t board_crc32(uint32_t crc, const void *data, size_t size) {
    /* One entry for each value of four bits: reflected polynomial 0xedb88320. */
    static const uint32_t nibble[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
        0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
        0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
    };
    const uint8_t *byte = data;
    crc = ~crc;
    for (size_t i = 0; i < size; ++i) {
        crc ^= byte[i];
        crc = (crc >> 4) ^ nibble[crc & 15u];
        crc = (crc >> 4) ^ nibble[crc & 15u];
    }
    return ~crc;
}
