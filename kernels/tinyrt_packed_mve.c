/* tinyrt_packed_mve.c: products of columns of bytes with pairs of channels. */
#include "tinyrt_packed_mve.h"

#if TINYRT_HAS_MVE

/* Sixteen depths: the halves 256 * B + A come apart as bytes, where B has lent one for a negative A. */
#define WEIGHTS                                                                                     \
    "vld20.8 {q0, q1}, [r1]\n\t"                                                                    \
    "vld21.8 {q0, q1}, [r1]!\n\t"                                                                   \
    "vshr.s8 q2, q0, #7\n\t"                                                                        \
    "vsub.i8 q1, q1, q2\n\t"
/* Sixteen depths of four pixels; the first ones begin the sums. */
#define DEPTH_16(op)                                                                                \
    WEIGHTS                                                                                         \
    "vldrb.8 q2, [r3], #16\n\t" op " r0, q2, q0\n\t" op " r8, q2, q1\n\t"                           \
    "vldrb.8 q3, [r3], #16\n\t" op " r2, q3, q0\n\t" op " r10, q3, q1\n\t"                          \
    "vldrb.8 q2, [r3], #16\n\t" op " r4, q2, q0\n\t" op " r12, q2, q1\n\t"                          \
    "vldrb.8 q3, [r3], #16\n\t" op " r6, q3, q0\n\t" op " lr, q3, q1\n\t"

#define ONE_16 DEPTH_16("vmladav.s8")
#define TWO_16 DEPTH_16("vmladav.s8") DEPTH_16("vmladava.s8")
/* Where results below zero survive, halves go away from zero: one less for those. */
#if TINYRT_NUMERICS == TINYRT_NUMERICS_SINGLE
#define SIGNED ""
#else
#define SIGNED                                                                                      \
    "vshr.s32 q2, q0, #31\n\t"                                                                      \
    "vshr.s32 q3, q1, #31\n\t"                                                                      \
    "vadd.i32 q0, q0, q2\n\t"                                                                       \
    "vadd.i32 q1, q1, q3\n\t"
#endif

/* All pairs. The sums of A are in r0, r2, r4, r6, those of B in r8, r10, r12, lr. */
#define PAIRS(first, below_zero)                                                                    \
    "ldrd r9, r11, [r5, #44]\n\t"                                                                   \
    "ldr r1, [r5, #52]\n\t"                                                                         \
    "adds r1, r1, #4\n\t" /* behind the bias of B */                                               \
    "add r11, r11, #4\n\t"                                                                         \
    "vldrh.u16 q4, [r5]\n\t"                                                                        \
    "1:\n\t"                                                                                        \
    "ldrd r3, r7, [r5, #16]\n\t" first                                                              \
    "cmp r7, #0\n\t"                                                                                \
    "beq 3f\n\t"                                                                                    \
    "2:\n\t" DEPTH_16("vmladava.s8") DEPTH_16("vmladava.s8")                                        \
    "subs r7, r7, #1\n\t"                                                                           \
    "bne 2b\n\t"                                                                                    \
    "3:\n\t"                                                                                        \
    "vmov q0[2], q0[0], r0, r4\n\t"                                                                 \
    "vmov q0[3], q0[1], r2, r6\n\t"                                                                 \
    "vmov q1[2], q1[0], r8, r12\n\t"                                                                \
    "vmov q1[3], q1[1], r10, lr\n\t"                                                                \
    "ldrd r6, r8, [r5, #24]\n\t"                                                                    \
    "ldr r10, [r1, r6]\n\t"                                                                         \
    "subs r1, r1, r8\n\t"                                                                           \
    "ldrd r6, r8, [r5, #32]\n\t"                                                                    \
    "ldrd r2, r3, [r1, #4]\n\t"                                                                     \
    "ldr r0, [r1], #16\n\t"                                                                         \
    "asr r10, r10, #8\n\t"                                                                          \
    "asr r4, r0, #9\n\t"                                                                            \
    "vadd.i32 q1, q1, r10\n\t"                                                                      \
    "vadd.i32 q0, q0, r4\n\t"                                                                       \
    TINYRT_MVE_HIGH "q0, q0, r2\n\t"                                                                \
    TINYRT_MVE_HIGH "q1, q1, r3\n\t"                                                                \
    "mvns r0, r0\n\t"                                                                               \
    "orr r2, r0, #0xF0\n\t" /* -1 - e of A, */                                                      \
    "orr r3, r8, r0, lsr #4\n\t" /* and of B: one byte of a shift counts */                         \
    below_zero                                                                                      \
    "vrshl.s32 q0, r2\n\t"                                                                          \
    "vrshl.s32 q1, r3\n\t"                                                                          \
    "vqmovnb.s32 q2, q0\n\t"                                                                        \
    "vqmovnt.s32 q2, q1\n\t"                                                                        \
    "vqadd.s16 q2, q2, r6\n\t"                                                                      \
    "vqmovnb.s16 q2, q2\n\t"                                                                        \
    "vstrb.16 q2, [r9, q4]\n\t"                                                                     \
    "adds r9, r9, #2\n\t"                                                                           \
    "cmp r1, r11\n\t"                                                                               \
    "bne 1b\n\t"                                                                                    \
    "subs r1, r1, #4\n\t"                                                                          \
    "str r9, [r5, #44]\n\t"                                                                         \
    "str r1, [r5, #52]\n\t"

#define VARIANT(name, first, below_zero)                                                            \
    static void name(tinyrt_mve_block *block)                                                       \
    {                                                                                               \
        register tinyrt_mve_block *r5 __asm__("r5") = block;                                        \
        __asm__ volatile(PAIRS(first, below_zero)                                                   \
                         : "+r"(r5)                                                                 \
                         :                                                                          \
                         : "r0", "r1", "r2", "r3", "r4", "r6", "r7", "r8", "r9", "r10", "r11",      \
                           "r12", "lr", "cc", "q0", "q1", "q2", "q3", "q4", "memory");              \
    }

VARIANT(odd_level, ONE_16, "")
VARIANT(even_level, TWO_16, "")
VARIANT(odd_signed, ONE_16, SIGNED)
VARIANT(even_signed, TWO_16, SIGNED)

void tinyrt_mve_pairs(tinyrt_mve_block *block)
{
    /* Called by name: calls through pointers have no bound on their stack. */
    if (block->signs == 0 && block->odd == 0) {
        even_level(block);
    } else if (block->signs == 0) {
        odd_level(block);
    } else if (block->odd == 0) {
        even_signed(block);
    } else {
        odd_signed(block);
    }
}

/* Where SXTB16 would have put sixteen bytes. */
static const uint8_t order[16] = {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15};

void tinyrt_mve_gather(const tinyrt_mve_windows *windows, const int8_t *input, int8_t *column)
{
    register const tinyrt_mve_windows *r0 __asm__("r0") = windows;
    register const int8_t *r1 __asm__("r1") = input;
    register int8_t *r2 __asm__("r2") = column;
    register const uint8_t *r3 __asm__("r3") = order;

    /* q3: numbers of groups; group g lies at 64 * (g / 4) + 4 * (g % 4) = 4 * g + 48 * (g / 4). */
    __asm__ volatile(
        "vldrb.8 q1, [r3]\n\t"
        "ldr r4, [r0, #20]\n\t"
        "ldr r11, [r0, #24]\n\t"
        "vidup.u32 q3, r4, #1\n\t"
        "ldrd r3, r4, [r0]\n\t"
        "ldrd r8, r9, [r0, #8]\n\t"
        "ldr r10, [r0, #16]\n\t"
        "lsls r11, r11, #2\n\t"
        "movs r0, #48\n\t"
        "1:\n\t" /* a row */
        "vshr.u32 q2, q3, #2\n\t"
        "vshl.i32 q0, q3, #2\n\t"
        "vmla.s32 q0, q2, r0\n\t"
        "mov r12, r10\n\t"
        "2:\n\t" /* of a window */
        "mov r5, r1\n\t"
        "mov r6, r2\n\t"
        "dlstp.8 lr, r11\n\t"
        "3:\n\t"
        "vldrb.u8 q2, [r5, q1]\n\t"
        "vstrw.32 q2, [r6, q0]\n\t"
        "adds r5, r5, #16\n\t"
        "adds r6, r6, #64\n\t"
        "letp lr, 3b\n\t"
        "add r1, r1, r9\n\t"
        "adds r2, r2, #16\n\t"
        "subs r12, r12, #1\n\t"
        "bne 2b\n\t"
        "vadd.i32 q3, q3, r8\n\t"
        "mls r1, r9, r10, r1\n\t"
        "sub r2, r2, r10, lsl #4\n\t"
        "add r1, r1, r4\n\t"
        "subs r3, r3, #1\n\t"
        "bne 1b\n\t"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        :
        : "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "q0", "q1", "q2", "q3",
          "memory");
}

void tinyrt_mve_gather_sixteens(const tinyrt_mve_windows *windows, const int8_t *input,
                                int8_t *columns)
{
    register const tinyrt_mve_windows *r0 __asm__("r0") = windows;
    register const int8_t *r1 __asm__("r1") = input;
    register int8_t *r2 __asm__("r2") = columns;
    register const uint8_t *r3 __asm__("r3") = order;

    __asm__ volatile(
        "vldrb.8 q1, [r3]\n\t"
        "ldrd r3, r4, [r0]\n\t"
        "ldrd r5, r6, [r0, #8]\n\t"
        "lsrs r5, r5, #2\n\t"
        "add r8, r1, r6\n\t"
        "add r9, r8, r6\n\t"
        "add r10, r9, r6\n\t"
        "movs r6, #16\n\t"
        "1:\n\t" /* a row of four windows */
        "vmov q2, q1\n\t"
        "dls lr, r5\n\t"
        "2:\n\t"
        "vldrb.u8 q0, [r1, q2]\n\t"
        "vstrb.8 q0, [r2], #16\n\t"
        "vldrb.u8 q0, [r8, q2]\n\t"
        "vstrb.8 q0, [r2], #16\n\t"
        "vldrb.u8 q0, [r9, q2]\n\t"
        "vstrb.8 q0, [r2], #16\n\t"
        "vldrb.u8 q0, [r10, q2]\n\t"
        "vstrb.8 q0, [r2], #16\n\t"
        "vadd.i8 q2, q2, r6\n\t"
        "le lr, 2b\n\t"
        "add r1, r1, r4\n\t"
        "add r8, r8, r4\n\t"
        "add r9, r9, r4\n\t"
        "add r10, r10, r4\n\t"
        "subs r3, r3, #1\n\t"
        "bne 1b\n\t"
        : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
        :
        : "r4", "r5", "r6", "r8", "r9", "r10", "lr", "cc", "q0", "q1", "q2", "memory");
}

#endif
