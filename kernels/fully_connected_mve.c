/* fully_connected_mve.c: a row of inputs with four channels at a time. */
#include "fully_connected_mve.h"

#if TINYRT_HAS_MVE

/* What lies how far from where. */
typedef struct {
    uint8_t weights[16];    /* 0: of channel A of the first pair, for sixteen depths */
    uint32_t multiplier[4]; /* 16: of two pairs, from the end of their weights */
    uint32_t shift[4];      /* 32: the word that holds it, */
    int32_t down[4];        /* 48: how far to the left its bits are */
    int32_t mask[4];        /* 64: and how many */
} tables;

/* Sixteen depths of a pair, whose halves 256 * B + A come apart as bytes: B has lent one for a negative A. */
#define PAIR(low, high, a, b)                                                                       \
    "vldrb.u8 q1, [r3, " low "]\n\t"                                                                \
    "vldrb.u8 q2, [r3, " high "]\n\t"                                                               \
    "vmladava.s8 " a ", q0, q1\n\t"                                                                 \
    "vshr.s8 q1, q1, #7\n\t"                                                                        \
    "vsub.i8 q2, q2, q1\n\t"                                                                        \
    "vmladava.s8 " b ", q0, q2\n\t"

/* r8, r12 and r11 are at the biases, weights and ends of two pairs; r10 says which two of four. */
void tinyrt_mve_fully_connected(tinyrt_mve_row *row)
{
    static const tables constants = {
        {0, 4, 2, 6, 32, 36, 34, 38, 64, 68, 66, 70, 96, 100, 98, 102},
        {4, 8, 16, 20},
        {0, 0, 12, 12},
        {0, -4, 0, -4},
        {15, 15, 15, 15},
    };
    register tinyrt_mve_row *r5 __asm__("r5") = row;
    register const tables *r7 __asm__("r7") = &constants;

    __asm__ volatile(
        "movs r0, #1\n\t"
        "movs r1, #8\n\t"
        "vldrb.8 q4, [r7]\n\t"
        "vadd.i8 q5, q4, r0\n\t"
        "vadd.i8 q6, q4, r1\n\t"
        "vadd.i8 q7, q5, r1\n\t"
        "ldr r8, [r5, #20]\n\t"
        "ldr r9, [r5, #4]\n\t"
        "1:\n\t" /* eight channels */
        "add r12, r8, #16\n\t"
        "add r11, r12, r9, lsl #3\n\t"
        "movs r10, #0\n\t"
        "2:\n\t" /* four of them */
        "ldr r1, [r5]\n\t"
        "mov r3, r12\n\t"
        "ldr r0, [r11]\n\t"
        "ldr r4, [r11, #12]\n\t"
        "ldrd r2, r6, [r8]\n\t"
        "asrs r0, r0, #9\n\t"
        "asrs r4, r4, #9\n\t"
        "asrs r2, r2, #8\n\t"
        "asrs r6, r6, #8\n\t"
        "dlstp.8 lr, r9\n\t"
        "3:\n\t"
        "vldrb.8 q0, [r1], #16\n\t"
        PAIR("q4", "q5", "r0", "r2")
        PAIR("q6", "q7", "r4", "r6")
        "adds r3, r3, #128\n\t"
        "letp lr, 3b\n\t"
        "vmov q0[2], q0[0], r0, r4\n\t"
        "vmov q0[3], q0[1], r2, r6\n\t"
        "vldrw.u32 q1, [r7, #16]\n\t"
        "vldrw.u32 q2, [r11, q1]\n\t"
        TINYRT_MVE_HIGH "q0, q0, q2\n\t"
        "vldrw.u32 q1, [r7, #32]\n\t"
        "vldrw.u32 q2, [r11, q1]\n\t"
        "vldrw.u32 q1, [r7, #48]\n\t"
        "vshl.s32 q2, q2, q1\n\t"
        "vldrw.u32 q1, [r7, #64]\n\t"
        "vand q2, q2, q1\n\t"
        "vmvn q2, q2\n\t" /* -1 - e */
#if TINYRT_NUMERICS != TINYRT_NUMERICS_SINGLE
        "vshr.s32 q1, q0, #31\n\t"
        "vadd.i32 q0, q0, q1\n\t"
#endif
        "ldr r0, [r5, #16]\n\t"
        "ldrd r1, r2, [r5, #8]\n\t"
        "vrshl.s32 q0, q0, q2\n\t"
        "vqadd.s32 q0, q0, r0\n\t"
        "vqmovnb.s32 q0, q0\n\t"
        "vqmovnb.s16 q0, q0\n\t"
        "vctp.32 r2\n\t"
        "vpst\n\t"
        "vstrbt.32 q0, [r1], #4\n\t"
        "subs r2, r2, #4\n\t"
        "strd r1, r2, [r5, #8]\n\t"
        "ble 4f\n\t"
        "adds r11, r11, #24\n\t"
        "adds r8, r8, #8\n\t"
        "adds r12, r12, #16\n\t"
        "eors r10, r10, #1\n\t"
        "bne 2b\n\t"
        "mov r8, r11\n\t"
        "b 1b\n\t"
        "4:\n\t"
        : "+r"(r5)
        : "r"(r7)
        : "r0", "r1", "r2", "r3", "r4", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "q0", "q1",
          "q2", "q4", "q5", "q6", "q7", "memory");
}

#endif
