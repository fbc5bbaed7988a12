/* Convolutions as convolutions.c of the compiler has them, eight lanes at a time.

   Each number of the result is the same sum in the same order: one accumulator each, and for
   kernels four partial sums, of every fourth column. Only what is summed at once differs. */

typedef float Eight __attribute__((vector_size(32)));
typedef float Quarter __attribute__((vector_size(16)));
typedef Eight PlacedEight __attribute__((aligned(1), may_alias));
typedef Quarter PlacedQuarter __attribute__((aligned(1), may_alias));
typedef float Single __attribute__((aligned(1), may_alias));

OPERATION Eight joined(const Single* a, const Single* b) {
  return __builtin_shufflevector(*(const PlacedQuarter*)a, *(const PlacedQuarter*)b, 0, 1, 2, 3, 4,
                                 5, 6, 7);
}

/* Eight neighbours, or two rows of four that lie ``gap`` apart. */
OPERATION Eight eight(const Single* a, int gap) {
  return gap == 4 ? (Eight)*(const PlacedEight*)a : joined(a, a + gap);
}

OPERATION void set_taps(int* taps, int k, int s, int height, int width) {
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++)
      taps[i * k + j] = ((i % s) * s + j % s) * height * width + i / s * width + j / s;
}

#define CONVOLVED(NAME, ROWS)                                                                     \
  OPERATION void NAME(const Single* w, long w0, long w1, long w2, const Single* u,                \
                      const Single* v, int gap, int C, long apart, const int* taps, int count,    \
                      Eight* s, Eight* t) {                                                       \
    Eight p[ROWS], q[ROWS];                                                                       \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) p[r] = q[r] = (Eight){0};                    \
    for (int c = 0; c < C; c++, u += apart, v += apart, w += w1)                                  \
      for (int n = 0; n < count; n++) {                                                           \
        Eight one = eight(u + taps[n], gap), two = eight(v + taps[n], gap);                       \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                        \
          float a = w[r * w0 + n * w2];                                                           \
          p[r] += a * one; q[r] += a * two;                                                       \
        }                                                                                         \
      }                                                                                           \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++) { s[r] = p[r]; t[r] = q[r]; }                \
  }
CONVOLVED(four_kernels, 4)
CONVOLVED(one_kernel, 1)

/* The function ``convolve``; 0 where it is left to the translated one. */
OWN int wide_convolve(u8* m, s32 wo, s32 w0, s32 w1, s32 w2, s32 xo, s32 out, s32 B, s32 O, s32 C,
                      s32 height, s32 width, s32 rows, s32 columns, s32 k, s32 s, s32 bias,
                      s32 has_bias) {
  if (columns % 8 && (columns != 4 || rows % 2)) return 0;
  Single* H = (Single*)(m + wasm_heap(m));
  long size = rows * columns, apart = s * s * height * width;
  int taps[49], count = k * k, gap = columns == 4 ? width : 4;
  set_taps(taps, k, s, height, width);
  for (long b = 0; b < B; b++)
    for (long o = 0, some; o < O; o += some) {
      const Single *image = H + xo + b * C * apart, *w = H + wo + o * w0;
      Single* to = H + out + (o * B + b) * size;
      some = O - o >= 4 ? 4 : 1;
      for (int n = 0; n < size; n += 16) {
        int other = n + 8 < size ? n + 8 : n;
        const Single *u = image + n / columns * width + n % columns;
        const Single *v = image + other / columns * width + other % columns;
        Eight p[4], q[4];
        if (some == 1) one_kernel(w, w0, w1, w2, u, v, gap, C, apart, taps, count, p, q);
        else if (gap == 4) four_kernels(w, w0, w1, w2, u, v, 4, C, apart, taps, count, p, q);
        else four_kernels(w, w0, w1, w2, u, v, gap, C, apart, taps, count, p, q);
        for (int r = 0; r < some; r++) {
          float add = has_bias ? H[bias + o + r] : 0;
          *(PlacedEight*)(to + r * B * size + n) = p[r] + add;
          *(PlacedEight*)(to + r * B * size + other) = q[r] + add;
        }
      }
    }
  return 1;
}

/* Four pairs of rows of g, one in each half of a vector, with TAPS neighbours in x. */
#define CORRELATED(NAME, TAPS)                                                                    \
  OPERATION void NAME(const Single* const* g, const Single* x, const int* taps, int B,            \
                      long images, int rows, int columns, int width, float sums[8][3]) {          \
    Eight s[4][TAPS];                                                                             \
    _Pragma("unroll") for (int r = 0; r < 4; r++)                                                 \
      _Pragma("unroll") for (int t = 0; t < TAPS; t++) s[r][t] = (Eight){0};                      \
    long n = 0;                                                                                   \
    for (int b = 0; b < B; b++)                                                                   \
      for (int y = 0; y < rows; y++)                                                              \
        for (int i = 0; i < columns; i += 4, n += 4) {                                            \
          const Single* from = x + b * images + y * width + i;                                    \
          Eight u[4];                                                                             \
          _Pragma("unroll") for (int r = 0; r < 4; r++)                                           \
            u[r] = joined(g[2 * r] + n, g[2 * r + 1] + n);                                        \
          _Pragma("unroll") for (int t = 0; t < TAPS; t++) {                                      \
            Eight v = joined(from + taps[t], from + taps[t]);                                     \
            _Pragma("unroll") for (int r = 0; r < 4; r++) s[r][t] += u[r] * v;                    \
          }                                                                                       \
        }                                                                                         \
    for (int r = 0; r < 8; r++)                                                                   \
      for (int t = 0; t < TAPS; t++) {                                                            \
        Eight v = s[r / 2][t];                                                                    \
        int h = r % 2 * 4;                                                                        \
        sums[r][t] = ((v[h] + v[h + 1]) + v[h + 2]) + v[h + 3];                                   \
      }                                                                                           \
  }
CORRELATED(three_taps, 3)
CORRELATED(one_tap, 1)

/* The function ``convolve_weights``; 0 where it is left to the translated one. */
OWN int wide_convolve_weights(u8* m, s32 go, s32 xo, s32 out, s32 B, s32 O, s32 C, s32 height,
                              s32 width, s32 rows, s32 columns, s32 k, s32 s) {
  if (columns % 4) return 0;
  Single* H = (Single*)(m + wasm_heap(m));
  long size = rows * columns, apart = s * s * height * width;
  int taps[49];
  set_taps(taps, k, s, height, width);
  for (long o = 0; o < O; o += 8) {
    const Single* g[8];
    for (int r = 0; r < 8; r++) g[r] = H + go + (o + r < O ? o + r : O - 1) * B * size;
    for (long c = 0; c < C; c++)
      for (int t = 0, some; t < k * k; t += some) {
        const Single* x = H + xo + c * apart;
        float sums[8][3];
        some = k * k - t >= 3 ? 3 : 1;
        if (some == 1) one_tap(g, x, taps + t, B, C * apart, rows, columns, width, sums);
        else if (columns == 8) three_taps(g, x, taps + t, B, C * apart, rows, 8, width, sums);
        else if (columns == 4) three_taps(g, x, taps + t, B, C * apart, rows, 4, width, sums);
        else three_taps(g, x, taps + t, B, C * apart, rows, columns, width, sums);
        for (int r = 0; r < 8 && o + r < O; r++)
          for (int n = 0; n < some; n++)
            H[out + ((o + r) * C + c) * k * k + t + n] = sums[r][n];
      }
  }
  return 1;
}
