/* First instructions of a 32-bit RISC-V core in machine mode. */
    .option arch, +zicsr

    .section .vectors, "ax"
    .global board_reset
board_reset:
    la t0, board_fault_entry
    csrw mtvec, t0
    la sp, board_stack_top
    /* Nothing may touch the 64 KB below the stack: a locked entry of the memory protection
       binds machine mode too. */
    la t0, board_stack_base
    li t1, 0x10000
    sub t0, t0, t1
    srli t0, t0, 2
    li t1, (0x10000 >> 3) - 1
    or t0, t0, t1
    csrw pmpaddr0, t0
    li t0, 0x98                 /* locked, a power of two in size, no access */
    csrw pmpcfg0, t0
    la t0, board_bss_start
    la t1, board_bss_end
1:  bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
2:  call main
    call board_exit

    .section .text.board_fault_entry, "ax"
    .balign 4
board_fault_entry:
    la sp, board_fault_stack_top    /* the stack proper may be what is broken */
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    call board_fault

    .section .text.board_semihost, "ax"
    .balign 16
    .global board_semihost
board_semihost:
    .option push
    .option norvc               /* the three words that QEMU looks for */
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
    .option pop
    ret

    .equ PAINT, 0x5ac3a53c

    .section .text.board_paint_stack, "ax"
    .global board_paint_stack
board_paint_stack:              /* takes no stack itself: what it marks is its caller's end */
    la t0, board_stack_base
    la t1, paint_mark
    sw sp, 0(t1)
    li t2, PAINT
1:  bgeu t0, sp, 2f
    sw t2, 0(t0)
    addi t0, t0, 4
    j 1b
2:  ret

    .section .text.board_stack_used, "ax"
    .global board_stack_used
board_stack_used:               /* nor does this */
    la t0, paint_mark
    lw a0, 0(t0)
    la t0, board_stack_base
    li t1, PAINT
1:  bgeu t0, a0, 2f
    lw t2, 0(t0)
    bne t2, t1, 2f
    addi t0, t0, 4
    j 1b
2:  sub a0, a0, t0
    ret

    .section .bss.paint_mark, "aw", %nobits
    .balign 4
paint_mark:
    .space 4

    .section .bss.board_fault_stack, "aw", %nobits
    .balign 16
    .space 1024
board_fault_stack_top:
