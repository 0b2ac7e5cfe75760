/* fully_connected_mve.c: a row of inputs with the eight channels of four pairs. */
#include "fully_connected_mve.h"

#if TINYRT_HAS_MVE

/* What lies how far from where. */
typedef struct {
    uint8_t weights[16]; /* 0: of channel A of a pair, for sixteen depths */
    uint32_t tails[4];   /* 16: of four pairs */
} tables;

/* Sixteen depths of a pair, whose halves 256 * B + A come apart as bytes: B has lent one for a negative A. */
#define PAIR(op, place, low, high, a, b)                                                            \
    "vldrb.u8 q1, [" place ", " low "]\n\t"                                                         \
    "vldrb.u8 q2, [" place ", " high "]\n\t" op " " a ", q0, q1\n\t"                                \
    "vshr.s8 q1, q1, #7\n\t"                                                                        \
    "vsub.i8 q2, q2, q1\n\t" op " " b ", q0, q2\n\t"
#define PAIRS(op)                                                                                   \
    PAIR(op, "r3", "q4", "q5", "r0", "r8")                                                          \
    PAIR(op, "r3", "q6", "q7", "r2", "r10")                                                         \
    PAIR(op, "r9", "q4", "q5", "r4", "r12")                                                         \
    PAIR(op, "r9", "q6", "q7", "r6", "lr")                                                          \
    "add r3, r3, #128\n\t"                                                                          \
    "add r9, r9, #128\n\t"
#define DEPTH_16(op) "vldrb.8 q0, [r1], #16\n\t" PAIRS(op)

/* The sums of A are in r0, r2, r4, r6, those of B in r8, r10, r12, lr. r11 is at the biases of four pairs,
 * r3 and r9 at the weights of the first and the last two. */
void tinyrt_mve_fully_connected(tinyrt_mve_row *row)
{
    static const tables constants = {
        {0, 4, 2, 6, 32, 36, 34, 38, 64, 68, 66, 70, 96, 100, 98, 102},
        {0, 12, 24, 36},
    };
    register tinyrt_mve_row *r5 __asm__("r5") = row;
    register const tables *r7 __asm__("r7") = &constants;

    __asm__ volatile(
        "movs r0, #1\n\t"
        "movs r1, #8\n\t"
        "vldrb.8 q4, [r7]\n\t"
        "vldrw.u32 q3, [r7, #16]\n\t"
        "vadd.i8 q5, q4, r0\n\t"
        "vadd.i8 q6, q4, r1\n\t"
        "vadd.i8 q7, q5, r1\n\t"
        "ldr r11, [r5, #20]\n\t"
        "1:\n\t" /* eight channels */
        "ldrd r1, r7, [r5]\n\t"
        "add r3, r11, #16\n\t"
        "add r9, r11, #32\n\t"
        "subs r7, r7, #16\n\t"
        "bge 2f\n\t"
        "movs r0, #0\n\t"
        "movs r2, #0\n\t"
        "movs r4, #0\n\t"
        "movs r6, #0\n\t"
        "mov r8, r0\n\t"
        "mov r10, r0\n\t"
        "mov r12, r0\n\t"
        "mov lr, r0\n\t"
        "b 5f\n\t"
        "2:\n\t"
        DEPTH_16("vmladav.s8")
        "b 4f\n\t"
        "3:\n\t"
        DEPTH_16("vmladava.s8")
        "4:\n\t"
        "subs r7, r7, #16\n\t"
        "bge 3b\n\t"
        "5:\n\t"
        "adds r7, r7, #16\n\t"
        "beq 6f\n\t"
        "vctp.8 r7\n\t" /* zeros behind the inputs; of weights there are enough */
        "vpst\n\t"
        "vldrbt.u8 q0, [r1]\n\t"
        PAIRS("vmladava.s8")
        "6:\n\t"
        "vmov q0[2], q0[0], r0, r4\n\t"
        "vmov q0[3], q0[1], r2, r6\n\t"
        "vmov q1[2], q1[0], r8, r12\n\t"
        "vmov q1[3], q1[1], r10, lr\n\t"
        "ldr r0, [r5, #4]\n\t"
        "vldrw.u32 q2, [r11]\n\t" /* 256 * bias of B */
        "add r11, r11, #16\n\t"
        "add r11, r11, r0, lsl #3\n\t"
        "vshr.s32 q2, q2, #8\n\t"
        "vadd.i32 q1, q1, q2\n\t"
        "vldrw.u32 q2, [r11, q3]\n\t" /* bias of A and shifts */
        "vshr.s32 q2, q2, #9\n\t"
        "vadd.i32 q0, q0, q2\n\t"
        "adds r2, r11, #4\n\t"
        "vldrw.u32 q2, [r2, q3]\n\t"
        TINYRT_MVE_HIGH "q0, q0, q2\n\t"
        "adds r2, r2, #4\n\t"
        "vldrw.u32 q2, [r2, q3]\n\t"
        TINYRT_MVE_HIGH "q1, q1, q2\n\t"
#if TINYRT_NUMERICS != TINYRT_NUMERICS_SINGLE
        "vshr.s32 q2, q0, #31\n\t"
        "vadd.i32 q0, q0, q2\n\t"
        "vshr.s32 q2, q1, #31\n\t"
        "vadd.i32 q1, q1, q2\n\t"
#endif
        "vldrw.u32 q2, [r11, q3]\n\t"
        "vmvn q2, q2\n\t" /* -1 - e: one byte of a shift counts */
        "vorr.i32 q2, #0xF0\n\t"
        "vrshl.s32 q0, q0, q2\n\t"
        "vldrw.u32 q2, [r11, q3]\n\t"
        "vmvn q2, q2\n\t"
        "vshr.u32 q2, q2, #4\n\t"
        "vorr.i32 q2, #0xF0\n\t"
        "vrshl.s32 q1, q1, q2\n\t"
        "ldr r6, [r5, #16]\n\t"
        "ldrd r2, r4, [r5, #8]\n\t"
        "vqmovnb.s32 q0, q0\n\t"
        "vqmovnt.s32 q0, q1\n\t"
        "vqadd.s16 q0, q0, r6\n\t"
        "vctp.16 r4\n\t"
        "vqmovnb.s16 q0, q0\n\t"
        "vpst\n\t"
        "vstrbt.16 q0, [r2], #8\n\t"
        "add r11, r11, #48\n\t"
        "subs r4, r4, #8\n\t"
        "strd r2, r4, [r5, #8]\n\t"
        "bgt 1b\n\t"
        : "+r"(r5), "+r"(r7)
        :
        : "r0", "r1", "r2", "r3", "r4", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "q0", "q1",
          "q2", "q3", "q4", "q5", "q6", "q7", "memory");
}

#endif
