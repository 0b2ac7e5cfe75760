/* conv_2d_packed_s8.c: CONV_2D by columns: three windows are gathered, then meet all channels. */
#include "conv_2d_packed_s8.h"

#include "tinyrt_packed.h"
#include "tinyrt_packed_mve.h"
#include "tinyrt_window.h"

typedef tinyrt_conv_2d_packed_s8_params geometry;

/* A place of the window: its first row and column, which may lie in the padding, and where the first
 * value would be. */
typedef struct {
    int32_t y;
    int32_t x;
    const int8_t *first;
} window;

/* Where the walk over the output pixels stands. */
typedef struct {
    window at;
    const int8_t *row;  /* the first window of this row of outputs */
    int32_t row_left;   /* pixels of this row to come */
    int32_t left;       /* pixels of all batches to come */
    int8_t *output;
} walk;

/* Goes on by some pixels, not beyond the end of a row of outputs. */
static void advance(const geometry *p, walk *w, int32_t pixels)
{
    const int32_t step_x = pixels * p->stride_width;

    w->left -= pixels;
    w->output += pixels * p->output_depth;
    w->row_left -= pixels;
    w->at.x += step_x;
    w->at.first += step_x * p->input_depth;
    if (w->row_left == 0) {
        const int32_t row_bytes = p->input_width * p->input_depth;
        w->row_left = p->output_width;
        w->row += p->stride_height * row_bytes;
        w->at.x = -p->pad_left;
        w->at.y += p->stride_height;
        if (w->at.y + p->pad_top == p->output_height * p->stride_height) {
            w->at.y = -p->pad_top; /* the next batch */
            w->row += (p->input_height - p->output_height * p->stride_height) * row_bytes;
        }
        w->at.first = w->row;
    }
}

/* Whether a window lies inside the input. */
static bool inside(const geometry *p, const window *at)
{
    return at->y >= 0 && at->y <= p->inside_height && at->x >= 0 && at->x <= p->inside_width;
}

/* How many blocks of columns from here lie in this row of outputs, and their windows inside the input. */
static int32_t blocks_inside(const geometry *p, const walk *w, int32_t columns)
{
    const int32_t room = p->inside_width - w->at.x - (columns - 1) * p->stride_width;

    if (!inside(p, &w->at) || room < 0) {
        return 0;
    }
    const int32_t fit = room / (columns * p->stride_width) + 1;
    const int32_t left = w->row_left / columns;
    return fit < left ? fit : left;
}

static walk begin(const geometry *p, const int8_t *input, int8_t *output)
{
    walk w;

    w.row = input - (p->pad_top * p->input_width + p->pad_left) * p->input_depth;
    w.at.y = -p->pad_top;
    w.at.x = -p->pad_left;
    w.at.first = w.row;
    w.row_left = p->output_width;
    w.left = p->batches * p->output_height * p->output_width;
    w.output = output;
    return w;
}

#if TINYRT_HAS_MVE

/* Gathers one window, which may reach beyond the input. */
static void gather_one(const geometry *p, const window *at, const tinyrt_mve_windows *all,
                       int8_t *bytes, int8_t *column)
{
    tinyrt_mve_windows windows = *all;
    const int32_t depth = p->input_depth;
    const int32_t tap_x = p->dilation_width * depth;
    const int32_t pitch = 4 * p->row_groups;
    const int32_t whole = pitch * p->filter_height;
    const int32_t x_first = tinyrt_first_tap(at->x, p->dilation_width);
    const int32_t x_end = tinyrt_end_tap(at->x, p->dilation_width, p->filter_width, p->input_width);
    const int32_t y_first = tinyrt_first_tap(at->y, p->dilation_height);
    const int32_t y_end = tinyrt_end_tap(at->y, p->dilation_height, p->filter_height, p->input_height);
    const bool seen = x_end > x_first && y_end > y_first;
    const int8_t *first = at->first + y_first * windows.row_step + x_first * tap_x;

    windows.windows = 1;
    if (inside(p, at)) {
        tinyrt_mve_gather(&windows, at->first, column);
        return;
    }
    if (p->dilation_width == 1 && depth % 4 == 0) {
        tinyrt_mve_fill(column, whole, p->input_zero_point, 16 * TINYRT_MVE_COLUMNS);
        if (seen) {
            windows.rows = y_end - y_first;
            windows.first = y_first * p->row_groups + x_first * (depth / 4);
            windows.copied = (x_end - x_first) * (depth / 4);
            tinyrt_mve_gather(&windows, first, column);
        }
        return;
    }
    tinyrt_mve_fill(bytes, whole, p->input_zero_point, 16);
    for (int32_t y = y_first; seen && y < y_end; ++y) {
        int8_t *const place = bytes + y * pitch + x_first * depth;
        if (p->dilation_width == 1) {
            tinyrt_mve_copy(place, first, (x_end - x_first) * depth);
        } else {
            for (int32_t x = 0; x < x_end - x_first; ++x) {
                tinyrt_mve_copy(place + x * depth, first + x * tap_x, depth);
            }
        }
        first += windows.row_step;
    }
    windows.rows = 1;
    windows.copied = p->row_groups * p->filter_height;
    tinyrt_mve_gather(&windows, bytes, column);
}

/* All channels of a block, from `output` on. */
static void channels(const geometry *p, tinyrt_mve_block *block, int8_t *output)
{
    const int32_t pair_words = 2 * p->row_groups * p->filter_height + 4;

    block->output = output;
    block->stream = p->stream;
    block->stream_end = p->stream + (p->output_depth / 2) * pair_words;
    tinyrt_mve_pairs(block);
    if (p->output_depth % 2 != 0) {
        block->stream_end += pair_words;
        --block->output;
        tinyrt_mve_pairs(block);
    }
}

/* The outputs of four pixels side by side. */
static void lanes_of_neighbours(const geometry *p, tinyrt_mve_block *block)
{
    for (int32_t lane = 0; lane < 2 * TINYRT_MVE_COLUMNS; ++lane) {
        block->lanes[lane] = (uint16_t)(lane / 2 * p->output_depth + lane % 2);
    }
}

/* Computes blocks whose windows lie side by side within the input. */
static void run_inside(const geometry *p, walk *w, const tinyrt_mve_windows *windows,
                       tinyrt_mve_block *block, int8_t *columns, int32_t blocks)
{
    const int8_t *first = w->at.first;
    int8_t *output = w->output;

    lanes_of_neighbours(p, block);
    advance(p, w, blocks * TINYRT_MVE_COLUMNS);
    do {
        if (p->row_groups % 4 == 0 && p->row_groups <= 64) {
            tinyrt_mve_gather_sixteens(windows, first, columns);
        } else {
            tinyrt_mve_gather(windows, first, columns);
        }
        first += TINYRT_MVE_COLUMNS * windows->step;
        channels(p, block, output);
        output += TINYRT_MVE_COLUMNS * p->output_depth;
    } while (--blocks > 0);
}

/* Computes the next four windows one by one. A last block may have columns to spare: the first ones, which
 * are copies of the next column, with the same outputs. */
static void run_any(const geometry *p, walk *w, const tinyrt_mve_windows *windows,
                    tinyrt_mve_block *block, int8_t *columns)
{
    int8_t *const bytes = columns + tinyrt_mve_column_bytes(p->row_groups * p->filter_height);
    int8_t *const output = w->output;
    int32_t spare = TINYRT_MVE_COLUMNS - w->left;
    int32_t lane = 0;

    for (int32_t pixel = 0; pixel < TINYRT_MVE_COLUMNS; ++pixel) {
        gather_one(p, &w->at, windows, bytes, columns + 16 * pixel);
        block->lanes[2 * pixel] = (uint16_t)lane;
        block->lanes[2 * pixel + 1] = (uint16_t)(lane + 1);
        if (--spare < 0) {
            advance(p, w, 1);
            lane += p->output_depth;
        }
    }
    channels(p, block, output);
}

void tinyrt_conv_2d_packed_s8(const tinyrt_conv_2d_packed_s8_params *params, const int8_t *input,
                              int8_t *output, void *scratch)
{
    const geometry *const p = params;
    const int32_t groups = p->row_groups * p->filter_height;
    int8_t *const columns = (int8_t *)scratch;
    tinyrt_mve_windows windows;
    tinyrt_mve_block block;
    walk w = begin(p, input, output);

    tinyrt_mve_columns_of(&block, groups);
    block.columns = columns;
    block.output_offset = p->output_offset;
    block.signs = p->activation_min < p->output_offset;
    windows.rows = p->filter_height;
    windows.row_step = p->dilation_height * p->input_width * p->input_depth;
    windows.row_groups = p->row_groups;
    windows.step = p->stride_width * p->input_depth;
    windows.windows = TINYRT_MVE_COLUMNS;
    windows.first = 0;
    windows.copied = p->row_groups;
    memset(columns, 0, (size_t)tinyrt_mve_column_bytes(groups));
    do {
        int8_t *const place = w.output;
        const int32_t blocks = blocks_inside(p, &w, TINYRT_MVE_COLUMNS);
        if (blocks > 0) {
            run_inside(p, &w, &windows, &block, columns, blocks);
        } else {
            run_any(p, &w, &windows, &block, columns);
        }
        if (p->activation_min > -128 || p->activation_max < 127) {
            tinyrt_mve_clamp(place, (int32_t)(w.output - place), p->activation_min, p->activation_max);
        }
    } while (w.left > 0);
}

#else

static int8_t *copy(int8_t *output, const int8_t *input, int32_t bytes)
{
    for (; bytes >= 4; bytes -= 4) {
        tinyrt_store_4(output, tinyrt_load_4(input));
        output += 4;
        input += 4;
    }
    for (; bytes > 0; --bytes) {
        *output++ = *input++;
    }
    return output;
}

static int8_t *fill(int8_t *output, int32_t value, int32_t bytes)
{
    for (; bytes > 0; --bytes) {
        *output++ = (int8_t)value;
    }
    return output;
}

/* Gathers any window row by row as bytes, filled up to a multiple of four, and widens them. */
static void gather(const geometry *p, window at, int8_t *bytes, int32_t *column)
{
    const int32_t depth = p->input_depth;
    int8_t *const row_end = bytes + p->row_groups * 4;
    const int32_t x_first = tinyrt_first_tap(at.x, p->dilation_width);
    const int32_t x_end =
        tinyrt_end_tap(at.x, p->dilation_width, p->filter_width, p->input_width);

    for (int32_t fy = 0; fy < p->filter_height; ++fy) {
        int8_t *place = bytes;
        if (at.y >= 0 && at.y < p->input_height && x_first < x_end) {
            const int8_t *pixel = at.first + x_first * p->dilation_width * depth;
            place = fill(place, p->input_zero_point, x_first * depth);
            if (p->dilation_width == 1) {
                place = copy(place, pixel, (x_end - x_first) * depth);
            } else {
                for (int32_t fx = x_first; fx < x_end; ++fx) {
                    place = copy(place, pixel, depth);
                    pixel += p->dilation_width * depth;
                }
            }
        }
        (void)fill(place, p->input_zero_point, (int32_t)(row_end - place));
        tinyrt_packed_widen(bytes, p->row_groups, column);
        column += 2 * TINYRT_COLUMNS * p->row_groups;
        at.y += p->dilation_height;
        at.first += p->dilation_height * p->input_width * depth;
    }
}

/* The same straight into a column, for pixels of whole groups side by side. */
static void gather_groups(const geometry *p, window at, int32_t *column)
{
    const int32_t pixel_groups = p->input_depth / 4;
    const int32_t x_first = tinyrt_first_tap(at.x, 1);
    const int32_t x_end = tinyrt_end_tap(at.x, 1, p->filter_width, p->input_width);
    int32_t y = at.y;

    at.first += x_first * p->input_depth;
    for (int32_t fy = 0; fy < p->filter_height; ++fy) {
        const bool inside = y >= 0 && y < p->input_height && x_first < x_end;
        const int32_t before = inside ? x_first * pixel_groups : p->row_groups;
        const int32_t within = inside ? (x_end - x_first) * pixel_groups : 0;
        column = tinyrt_packed_fill(p->input_zero_point, before, column);
        if (within > 0) {
            tinyrt_packed_widen(at.first, within, column);
            column += 2 * TINYRT_COLUMNS * within;
        }
        column = tinyrt_packed_fill(p->input_zero_point, p->row_groups - before - within, column);
        y += p->dilation_height;
        at.first += p->dilation_height * p->input_width * p->input_depth;
    }
}

/* Gathers the next three windows one by one. A last block may have columns to spare: the first ones,
 * whose outputs are overwritten by the next column's. */
static void gather_any(const geometry *p, walk *w, tinyrt_block *block, int32_t *columns)
{
    const int32_t tap_y = p->dilation_height * p->input_width * p->input_depth;
    int32_t spare = TINYRT_COLUMNS - w->left;

    for (int32_t pixel = 0; pixel < TINYRT_COLUMNS; ++pixel) {
        int32_t *column = columns + pixel;
        if (inside(p, &w->at)) {
            const int8_t *first = w->at.first;
            for (int32_t rows = p->filter_height; rows > 0; --rows) {
                tinyrt_packed_widen(first, p->row_groups, column);
                first += tap_y;
                column += 2 * TINYRT_COLUMNS * p->row_groups;
            }
        } else if (p->input_depth % 4 == 0 && p->dilation_width == 1) {
            gather_groups(p, w->at, column);
        } else {
            gather(p, w->at, (int8_t *)(columns + 2 * TINYRT_COLUMNS * block->groups), column);
        }
        block->outputs[pixel] = w->output;
        if (--spare < 0) {
            advance(p, w, 1);
        }
    }
}

/* Computes blocks whose windows lie side by side within the input. */
static void run_inside(const geometry *p, walk *w, tinyrt_block *block, int32_t blocks)
{
    const int32_t step_x = p->stride_width * p->input_depth;
    const int32_t tap_y = p->dilation_height * p->input_width * p->input_depth;
    const int32_t row_words = 2 * TINYRT_COLUMNS * p->row_groups;
    const int8_t *first = w->at.first;
    int8_t *output = w->output;

    advance(p, w, blocks * TINYRT_COLUMNS);
    do {
        const int8_t *row = first;
        int32_t *column = block->columns;
        int32_t rows = p->filter_height;
        do {
            tinyrt_packed_widen_3(row, row + step_x, row + 2 * step_x, p->row_groups, column);
            row += tap_y;
            column += row_words;
        } while (--rows > 0);
        first += TINYRT_COLUMNS * step_x;
        for (int32_t pixel = 0; pixel < TINYRT_COLUMNS; ++pixel) {
            block->outputs[pixel] = output;
            output += p->output_depth;
        }
        tinyrt_packed_channels(block, p->stream, p->output_depth);
    } while (--blocks > 0);
}

void tinyrt_conv_2d_packed_s8(const tinyrt_conv_2d_packed_s8_params *params, const int8_t *input,
                              int8_t *output, void *scratch)
{
    const geometry *const p = params;
    const int32_t groups = p->row_groups * p->filter_height;
    int32_t *const columns = (int32_t *)scratch;
    tinyrt_block block;
    walk w = begin(p, input, output);

    block.columns = columns;
    block.groups = groups;
    block.output_offset = p->output_offset;
    block.rounding = 2 * p->output_offset + 1;
    /* One rounding, half up, is the same for both signs. */
    block.rounding_b =
        TINYRT_NUMERICS == TINYRT_NUMERICS_TFLM && p->activation_min < p->output_offset
            ? 0
            : block.rounding * 128;
    do {
        int8_t *place = w.output;
        const int32_t blocks = blocks_inside(p, &w, TINYRT_COLUMNS);
        if (blocks > 0) {
            run_inside(p, &w, &block, blocks);
        } else {
            gather_any(p, &w, &block, columns);
            tinyrt_packed_channels(&block, p->stream, p->output_depth);
        }
        if (p->activation_min > -128 || p->activation_max < 127) {
            for (; place != w.output; ++place) {
                *place = (int8_t)tinyrt_clamp(*place, p->activation_min, p->activation_max);
            }
        }
    } while (w.left > 0);
}

#endif
