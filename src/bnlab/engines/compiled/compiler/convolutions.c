/* -------------------------------------------------------------------------------- convolutions

   Of images (B, C, H, W) with kernels (O, C, k, k), s pixels apart. For them an image has zeros
   around it, and what lies s apart lies together: (B, C, s, s, height, width). There a row of the
   result is made from rows without gaps, and each number of a kernel meets it at one distance. */

enum { LARGEST_KERNEL = 7 };
PART void set_taps(int* taps, int k, int s, int height, int width) {
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++)
      taps[i * k + j] = ((i % s) * s + j % s) * height * width + i / s * width + j / s;
}

/* x, whose rows have no gaps, in that form. */
PART void padded(int xo, int xb, int xc, int out, int B, int C, int rows, int columns,
                 int padding, int s, int height, int width) {
  REAL* to = H + out;
  for (int b = 0; b < B; b++)
    for (int c = 0; c < C; c++)
      for (int part = 0; part < s * s; part++)
        for (int i = 0; i < height; i++, to += width) {
          int y = i * s + part / s - padding, x = part % s - padding;
          const REAL* row = H + xo + b * xb + c * xc + y * columns + x;
          int inside = y >= 0 && y < rows, first = x < 0 ? (s - 1 - x) / s : 0;
          int last = inside ? (columns - x + s - 1) / s : 0;
          if (last > width) last = width;
          for (int j = 0; j < width; j++) to[j] = 0;
          for (int j = first; j < last; j++) to[j] = row[j * s];
        }
}

/* Results for ROWS kernels, in two vectors each: those of the numbers at u and v. */
#define CONVOLVED(NAME, ROWS)                                                                     \
  PART void NAME(const REAL* w, int w0, int w1, int w2, const REAL* u, const REAL* v,    \
                          int C, int apart, const int* taps, int count, Lanes* s, Lanes* t) {     \
    Lanes p[ROWS] = {{0}}, q[ROWS] = {{0}};                                                       \
    for (int c = 0; c < C; c++, u += apart, v += apart, w += w1)                                  \
      for (int n = 0; n < count; n++) {                                                           \
        Lanes one = get(u + taps[n]), two = get(v + taps[n]);                                     \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                        \
          REAL a = w[r * w0 + n * w2];                                                            \
          p[r] += a * one; q[r] += a * two;                                                       \
        }                                                                                         \
      }                                                                                           \
    for (int r = 0; r < ROWS; r++) { s[r] = p[r]; t[r] = q[r]; }                                  \
  }
CONVOLVED(four_kernels, 4)
CONVOLVED(one_kernel, 1)

/* out (O, B, rows, columns) = the convolution of ``padded`` images, plus a bias for each kernel.
   w0, w1, w2: from a kernel, a channel, a number in it to the next. */
SHARED convolve(int wo, int w0, int w1, int w2, int xo, int out, int B, int O, int C, int height,
                int width, int rows, int columns, int k, int s, int bias, int has_bias) {
  int size = rows * columns, apart = s * s * height * width;
  int taps[LARGEST_KERNEL * LARGEST_KERNEL];
  set_taps(taps, k, s, height, width);
  for (int b = 0; b < B; b++)
    for (int o = 0, some; o < O; o += some) {
      const REAL *image = H + xo + b * C * apart, *w = H + wo + o * w0;
      REAL* to = H + out + (o * B + b) * size;
      some = O - o >= 4 ? 4 : 1;
      for (int n = 0; columns % WIDE == 0 && n < size; n += 2 * WIDE) {
        int m = n + WIDE < size ? n + WIDE : n;
        const REAL *u = image + n / columns * width + n % columns;
        const REAL *v = image + m / columns * width + m % columns;
        Lanes p[4], q[4];
        if (some == 4) four_kernels(w, w0, w1, w2, u, v, C, apart, taps, k * k, p, q);
        else one_kernel(w, w0, w1, w2, u, v, C, apart, taps, k * k, p, q);
        for (int r = 0; r < some; r++) {
          REAL add = has_bias ? H[bias + o + r] : 0;
          put(to + r * B * size + n, p[r] + add); put(to + r * B * size + m, q[r] + add);
        }
      }
      for (int n = 0; columns % WIDE && n < size; n++)
        for (int r = 0; r < some; r++) {
          const REAL* u = image + n / columns * width + n % columns;
          REAL sum = 0;
          for (int c = 0; c < C; c++)
            for (int t = 0; t < k * k; t++)
              sum += w[r * w0 + c * w1 + t * w2] * u[c * apart + taps[t]];
          to[r * B * size + n] = sum + (has_bias ? H[bias + o + r] : 0);
        }
    }
}

/* Sums of products of four rows of g with TAPS neighbours in x: WIDE partial sums for each. */
#define CORRELATED(NAME, TAPS)                                                                    \
  PART void NAME##_(                                                                            \
      const REAL* const* g, const REAL* x, const int* at, int B, int images, int rows,            \
      const int columns, int width, REAL sums[4][3]) {                                            \
    Lanes s[4][TAPS] = {{{0}}};                                                                   \
    for (int b = 0, n = 0; b < B; b++)                                                            \
      for (int y = 0; y < rows; y++)                                                              \
        for (int i = 0; i < columns; i += WIDE, n += WIDE) {                                      \
          const REAL* from = x + b * images + y * width + i;                                      \
          Lanes u[4] = {get(g[0] + n), get(g[1] + n), get(g[2] + n), get(g[3] + n)};              \
          _Pragma("unroll") for (int t = 0; t < TAPS; t++) {                                      \
            Lanes v = get(from + at[t]);                                                          \
            _Pragma("unroll") for (int r = 0; r < 4; r++) s[r][t] += u[r] * v;                    \
          }                                                                                       \
        }                                                                                         \
    for (int r = 0; r < 4; r++)                                                                   \
      for (int t = 0; t < TAPS; t++) sums[r][t] = total(s[r][t]);                                 \
  }                                                                                               \
  PART void NAME(const REAL* const* g, const REAL* x, const int* taps, int B,            \
                          int images, int rows, int columns, int width, REAL sums[4][3]) {        \
    int at[TAPS];                                                                                 \
    for (int t = 0; t < TAPS; t++) at[t] = taps[t];                                               \
    if (columns == 4) NAME##_(g, x, at, B, images, rows, 4, width, sums);                         \
    else if (columns == 8) NAME##_(g, x, at, B, images, rows, 8, width, sums);                    \
    else NAME##_(g, x, at, B, images, rows, columns, width, sums);                                \
  }
CORRELATED(three_taps, 3)
CORRELATED(one_tap, 1)

/* The gradient of the kernels (O, C, k, k), from that of the result, g (O, B, rows, columns). */
SHARED convolve_weights(int go, int xo, int out, int B, int O, int C, int height, int width,
                        int rows, int columns, int k, int s) {
  int size = rows * columns, apart = s * s * height * width;
  int taps[LARGEST_KERNEL * LARGEST_KERNEL];
  set_taps(taps, k, s, height, width);
  for (int o = 0; o < O; o += 4) {
    const REAL* g[4];
    for (int r = 0; r < 4; r++) g[r] = H + go + (o + r < O ? o + r : O - 1) * B * size;
    for (int c = 0; c < C; c++) {
      const REAL* x = H + xo + c * apart;
      for (int t = 0, some; t < k * k; t += some) {
        REAL sums[4][3];
        some = k * k - t >= 3 ? 3 : 1;
        if (columns % WIDE) {
          some = 1;
          for (int r = 0; r < 4; r++) {
            REAL sum = 0;
            for (int b = 0; b < B; b++)
              for (int n = 0; n < size; n++)
                sum += g[r][b * size + n] *
                       x[b * C * apart + n / columns * width + n % columns + taps[t]];
            sums[r][0] = sum;
          }
        } else if (some == 3) {
          three_taps(g, x, taps + t, B, C * apart, rows, columns, width, sums);
        } else {
          one_tap(g, x, taps + t, B, C * apart, rows, columns, width, sums);
        }
        for (int r = 0; r < 4 && o + r < O; r++)
          for (int m = 0; m < some; m++)
            H[out + ((o + r) * C + c) * k * k + t + m] = sums[r][m];
      }
    }
  }
}

/* The gradient of images x (C, B, H, W) from that of all patches as columns (C k k, B H' W'). */
KERNEL patches_adjoint(int from_o, int out, int B, int C, int height, int width, int rows,
                       int columns, int k, int stride, int padding) {
  const REAL* from = H + from_o;
  REAL* all = H + out;
  for (int n = 0; n < C * B * height * width; n++) all[n] = 0;
  for (int c = 0; c < C; c++)
    for (int i = 0; i < k; i++)
      for (int j = 0; j < k; j++)
        for (int b = 0; b < B; b++) {
          REAL* image = all + (c * B + b) * height * width;
          for (int y = 0; y < rows; y++, from += columns) {
            int row = y * stride + i - padding, shift = j - padding;
            if (row < 0 || row >= height) continue;
            REAL* to = image + row * width + shift;
            for (int x = 0; x < columns; x++) {
              int column = x * stride + shift;
              if (column >= 0 && column < width) to[x * stride] += from[x];
            }
          }
        }
}
