/* Between the files of a board; programs use tinyrt_board.h. */
#ifndef TINYRT_BOARD_INTERNAL_H
#define TINYRT_BOARD_INTERNAL_H

#include <stdint.h>

/* Semihosting operations, as Arm's specification numbers them. */
enum { BOARD_SYS_WRITE0 = 0x04, BOARD_SYS_EXIT_EXTENDED = 0x20 };
enum { BOARD_STOPPED_APPLICATION_EXIT = 0x20026 };

/* startup_*.S */
uint32_t board_semihost(uint32_t operation, const void *argument);

/* image.ld: the first byte of each region, and the first byte after it. */
extern const uint32_t board_code_base[];
extern const uint32_t board_code_end[];
extern const uint32_t board_bulk_base[];
extern const uint32_t board_bulk_end[];
extern const uint32_t board_stack_base[];
extern const uint32_t board_stack_top[];

/* counter_*.c: start the counter; instructions since then, in constant time. */
void board_counter_start(void);
uint64_t board_counter_read(void);

/* fault_*.c: called by startup_*.S on any fault, on a stack of its own, with what the core gives:
 * Arm the exception's number and the frame that it pushed, RISC-V mcause, mepc and mtval. */
#if defined(__riscv)
void board_fault(uint32_t cause, uint32_t pc, uint32_t address);
#else
void board_fault(uint32_t exception, const uint32_t *frame);
#endif

/* protect_*.c: makes accesses to what is no memory fault, where the board does not by itself. */
void board_protect(void);

/* board_qemu.c: one line, sent at once, then exit with a status of its own. */
void board_report_fault(const char *what, uint32_t pc, uint32_t cause, uint32_t address);

#endif
