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

/* What of a window of a NHWC image lies inside it: one value or more. */
typedef struct {
    const int8_t *first;
    int32_t height;
    int32_t width;
    int32_t depth;
    int32_t row_bytes;
} tinyrt_window;

/* Limits a window of `height` rows and `width` columns, which begins at `y` and `x`, to an image. */
static inline tinyrt_window tinyrt_window_inside(const int8_t *image, int32_t image_height,
                                                 int32_t image_width, int32_t depth, int32_t y,
                                                 int32_t x, int32_t height, int32_t width)
{
    const int32_t y_first = tinyrt_first_tap(y, 1);
    const int32_t x_first = tinyrt_first_tap(x, 1);
    tinyrt_window w;

    w.height = tinyrt_end_tap(y, 1, height, image_height) - y_first;
    w.width = tinyrt_end_tap(x, 1, width, image_width) - x_first;
    w.depth = depth;
    w.row_bytes = image_width * depth;
    w.first = image + (y + y_first) * w.row_bytes + (x + x_first) * depth;
    if (w.width == image_width) { /* whole rows are one row */
        w.width *= w.height;
        w.height = 1;
    }
    return w;
}

#endif /* TINYRT_WINDOW_H */
