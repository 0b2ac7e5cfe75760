/* Vector table and first instructions of an Armv7-M, Armv8-M or Armv8.1-M core. */
    .syntax unified
    .thumb

    .section .vectors, "a"
    .balign 512
    .global board_vectors
board_vectors:
    .word board_stack_top
    .word board_reset
    .rept 14                    /* NMI, HardFault, MemManage, BusFault, UsageFault, … SysTick */
    .word board_fault_entry
    .endr

    .section .text.board_reset, "ax"
    .thumb_func
    .global board_reset
board_reset:
    ldr r0, =0xe000ed08         /* VTOR */
    ldr r1, =board_vectors
    str r1, [r0]
    ldr r0, =0xe000ed14         /* CCR: division by zero faults */
    ldr r1, [r0]
    orr r1, r1, #0x10
    str r1, [r0]
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    ldr r0, =0xe000ed88         /* CPACR: full access to the floating-point and vector unit */
    ldr r1, [r0]
    orr r1, r1, #0x00f00000
    str r1, [r0]
    dsb
    isb
#endif
    ldr r0, =board_bss_start
    ldr r1, =board_bss_end
    movs r2, #0
1:  cmp r0, r1
    bhs 2f
    str r2, [r0], #4
    b 1b
2:
#if __ARM_ARCH < 8
    bl board_protect
#endif
    bl main
    bl board_exit

    .section .text.board_fault_entry, "ax"
    .thumb_func
board_fault_entry:
    mrs r0, ipsr
    mov r1, sp                  /* the frame that the core has pushed, or tried to push */
    ldr r2, =board_fault_stack_top
    mov sp, r2                  /* the stack proper may be what is broken */
    bl board_fault

    .section .text.board_semihost, "ax"
    .thumb_func
    .global board_semihost
board_semihost:
    bkpt 0xab
    bx lr

    .equ PAINT, 0x5ac3a53c

    .section .text.board_paint_stack, "ax"
    .thumb_func
    .global board_paint_stack
board_paint_stack:              /* takes no stack itself: what it marks is its caller's end */
    ldr r0, =board_stack_base
    ldr r1, =paint_mark
    mov r2, sp
    str r2, [r1]
    ldr r3, =PAINT
1:  cmp r0, r2
    bhs 2f
    str r3, [r0], #4
    b 1b
2:  bx lr

    .section .text.board_stack_used, "ax"
    .thumb_func
    .global board_stack_used
board_stack_used:               /* nor does this */
    ldr r0, =paint_mark
    ldr r0, [r0]
    ldr r1, =board_stack_base
    ldr r2, =PAINT
1:  cmp r1, r0
    bhs 2f
    ldr r3, [r1]
    cmp r3, r2
    bne 2f
    adds r1, r1, #4
    b 1b
2:  subs r0, r0, r1
    bx lr

    .section .bss.paint_mark, "aw", %nobits
    .balign 4
paint_mark:
    .space 4

    .section .bss.board_fault_stack, "aw", %nobits
    .balign 8
    .space 1024
board_fault_stack_top:
