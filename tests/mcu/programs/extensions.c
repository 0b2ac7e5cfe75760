/* What the core was built with, each used once: a core without it would fault. */
#include "tinyrt_board.h"

#if defined(__ARM_FEATURE_DSP) || defined(__ARM_FEATURE_MVE)
#include <arm_acle.h>
#endif
#if defined(__ARM_FEATURE_MVE)
#include <arm_mve.h>
#endif

int main(void) {
    volatile int32_t packed = 0x00030002;
    board_init();
    (void)packed;
#if defined(__ARM_FEATURE_DSP)
    board_write("dsp ");
    board_write_u64((uint64_t)__smlad((int16x2_t)packed, (int16x2_t)packed, 1));
    board_write("\n");
#endif
#if defined(__ARM_FEATURE_MVE)
    const int8x16_t lanes = vdupq_n_s8((int8_t)packed);
    board_write("mve ");
    board_write_u64((uint64_t)vmladavaq_s8(1, lanes, lanes));
    board_write("\n");
#endif
    return 0;
}
