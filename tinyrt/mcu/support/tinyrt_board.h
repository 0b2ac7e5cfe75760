/* A board, as a test or measuring program sees it: text out, exit, instruction count, stack depth.
 *
 * The same calls on every target of `tinyrt.mcu`, this machine included.  `main` may return: its
 * value is the exit status.
 */
#ifndef TINYRT_BOARD_H
#define TINYRT_BOARD_H

#include <stddef.h>
#include <stdint.h>

/* Once, before anything else. */
void board_init(void);

/* Text is sent at the end of each line, and at exit. */
void board_write(const char *text);
void board_write_u64(uint64_t value);   /* decimal */
void board_write_hex32(uint32_t value); /* eight digits, no prefix */

/* Sends what is left and ends the program. */
void board_exit(int status);

/* Instructions executed so far, those of this function and of its call not counted: two calls
 * in a row give the same number.  Always 0 on the host, and where the program is not run with
 * count_instructions=True. */
uint64_t board_instructions(void);

/* Depth of the stack, in bytes, that calls made after board_paint_stack took below the frame of
 * its caller: paint, call, then ask in the same function.  Always 0 on the host. */
void board_paint_stack(void);
size_t board_stack_used(void);

/* CRC-32 of IEEE 802.3, as zlib.crc32: start with 0, pass the result on to continue. */
uint32_t board_crc32(uint32_t crc, const void *data, size_t size);

#endif
