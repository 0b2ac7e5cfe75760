/* tinyrt_broadcast.h: walks two operands that are stretched to one output.
 *
 * The loops come ready-made from tinyrt/broadcast.py, outermost first: how often each turns, and how
 * many elements further a turn takes each operand (0 where it is stretched; 0 or 1 in the innermost
 * loop). The kernel runs the innermost loop itself and asks for the next place after each run. */
#ifndef TINYRT_BROADCAST_H
#define TINYRT_BROADCAST_H

#include "tinyrt.h"

/* Most loops: one for each dimension. */
#define TINYRT_BROADCAST_LOOPS 6

typedef struct {
    int32_t offset1; /* element of the first operand where the next run starts */
    int32_t offset2;
    int32_t turns[TINYRT_BROADCAST_LOOPS - 1]; /* done in each outer loop */
} tinyrt_broadcast;

static inline tinyrt_broadcast tinyrt_broadcast_begin(void)
{
    const tinyrt_broadcast begin = {0, 0, {0, 0, 0, 0, 0}};
    return begin;
}

/* Go to the next run; 0 when there is none. */
static inline int tinyrt_broadcast_next(tinyrt_broadcast *place, int32_t loops,
                                        const int32_t *extents, const int32_t *strides1,
                                        const int32_t *strides2)
{
    for (int32_t loop = loops - 2; loop >= 0; --loop) {
        place->offset1 += strides1[loop];
        place->offset2 += strides2[loop];
        if (++place->turns[loop] < extents[loop]) {
            return 1;
        }
        place->offset1 -= extents[loop] * strides1[loop];
        place->offset2 -= extents[loop] * strides2[loop];
        place->turns[loop] = 0;
    }
    return 0;
}

#endif /* TINYRT_BROADCAST_H */
