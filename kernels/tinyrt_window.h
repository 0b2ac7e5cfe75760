/* tinyrt_window.h: sliding windows, along one axis. */
#ifndef TINYRT_WINDOW_H
#define TINYRT_WINDOW_H

#include "tinyrt.h"

/* First tap of a window that starts at `origin` (negative in the padding) which lies inside. */
static inline int32_t tinyrt_first_tap(int32_t origin, int32_t dilation)
{
    return origin >= 0 ? 0 : (-origin + dilation - 1) / dilation;
}

/* One past the last tap inside an input of `size` elements. */
static inline int32_t tinyrt_end_tap(int32_t origin, int32_t dilation, int32_t taps, int32_t size)
{
    const int32_t inside = (size - origin + dilation - 1) / dilation;
    return inside < taps ? inside : taps;
}

/* Which of `count` places a turn of a loop is at, that goes from the last to the first if `backward`. */
static inline int32_t tinyrt_place(int32_t turn, int32_t count, int32_t backward)
{
    return backward ? count - 1 - turn : turn;
}

#endif /* TINYRT_WINDOW_H */
