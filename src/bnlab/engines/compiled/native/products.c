/* Products of matrices as runtime.c has them, with lanes as wide as the machine's.

   Each number of the result is the same sum, in the same order: from WIDE partial sums of every
   WIDE-th term where both factors lie in rows, else from one. Only what is summed at once differs. */

#ifdef __AVX512F__
#define WIDTH 64
#else
#define WIDTH 32
#endif
#define FEWEST_ROWS 4 /* so that it pays to turn the rows of B */

enum { WIDE = 16 / sizeof(REAL), LANES_ = WIDTH / sizeof(REAL), BLOCK = 2 * LANES_, DEEPEST = 512 };
typedef REAL Wide __attribute__((vector_size(WIDTH)));
typedef Wide Placed __attribute__((aligned(1), may_alias));
typedef REAL Number __attribute__((aligned(1), may_alias));
typedef REAL Four __attribute__((vector_size(16)));
typedef Four PlacedFour __attribute__((aligned(1), may_alias));

/* Sums of A[r, k] B[k, j] over k = 0, by, 2 by ... < K, for ROWS rows and VECTORS times LANES_ j. */
#define BLOCK_OF(NAME, ROWS, VECTORS)                                                              \
  OPERATION void NAME(const Number* A, long a0, long a1, const Number* B, long b0, long K,         \
                      long by, Wide s[4][2]) {                                                     \
    Wide sum[ROWS][VECTORS];                                                                       \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                               \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[r][v] = (Wide){0};                   \
    for (long k = 0; k < K; k += by) {                                                             \
      Wide b[VECTORS];                                                                             \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++)                                          \
        b[v] = *(const Placed*)(B + k * b0 + v * LANES_);                                          \
      _Pragma("unroll") for (int r = 0; r < ROWS; r++) {                                           \
        REAL a = A[r * a0 + k * a1];                                                               \
        _Pragma("unroll") for (int v = 0; v < VECTORS; v++) sum[r][v] += a * b[v];                 \
      }                                                                                            \
    }                                                                                              \
    _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                               \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++) s[r][v] = sum[r][v];                     \
  }
BLOCK_OF(block_4_2, 4, 2)
BLOCK_OF(block_4_1, 4, 1)
BLOCK_OF(block_1_2, 1, 2)
BLOCK_OF(block_1_1, 1, 1)

OPERATION void block_of(int rows, int vectors, const Number* A, long a0, long a1, const Number* B,
                        long b0, long K, long by, Wide s[4][2]) {
  if (rows == 4 && vectors == 2) block_4_2(A, a0, a1, B, b0, K, by, s);
  else if (rows == 4) block_4_1(A, a0, a1, B, b0, K, by, s);
  else if (vectors == 2) block_1_2(A, a0, a1, B, b0, K, by, s);
  else block_1_1(A, a0, a1, B, b0, K, by, s);
}

OPERATION void put(Number* C, Wide value, long count) {
  if (count >= LANES_) *(Placed*)C = value;
  else for (long k = 0; k < count; k++) C[k] = value[k];
}

/* B (b0 apart along k, without gaps along j), one accumulator each; N is a multiple of LANES_. */
OWN void by_rows(const Number* A, long a0, long a1, const Number* B, long b0, Number* C, long M,
                 long N, long K) {
  Wide s[4][2];
  for (long j = 0; j < N; j += BLOCK) {
    int vectors = N - j > LANES_ ? 2 : 1;
    for (long i = 0, rows; i < M; i += rows) {
      rows = M - i >= 4 ? 4 : 1;
      block_of(rows, vectors, A + i * a0, a0, a1, B + j, b0, K, 1, s);
      for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
          *(Placed*)(C + (i + r) * N + j + v * LANES_) = s[r][v];
    }
  }
}

/* Rows j of B, b1 apart, as columns of a block; those beyond the last one are its copies. */
OPERATION void turned(const Number* B, long b1, long count, long K, REAL* columns) {
  for (long j = 0; j < BLOCK; j += WIDE) {
    const Number* row[WIDE];
    for (int l = 0; l < WIDE; l++) row[l] = B + (j + l < count ? j + l : count - 1) * b1;
    long k = 0;
    for (; k + WIDE <= K; k += WIDE) TURN(row, k, columns + k * BLOCK + j);
    for (; k < K; k++)
      for (int l = 0; l < WIDE; l++) columns[k * BLOCK + j + l] = row[l][k];
  }
}

/* Rows of A times rows of B: WIDE partial sums each, added one after the other, then the rest. */
OWN void by_dots(const Number* A, long a0, const Number* B, long b1, Number* C, long M, long N,
                 long K) {
  REAL columns[DEEPEST * BLOCK] __attribute__((aligned(64)));
  Wide s[4][2], sum[4][2];
  long whole = K / WIDE * WIDE;
  for (long j = 0; j < N; j += BLOCK) {
    long count = N - j < BLOCK ? N - j : BLOCK;
    int vectors = count > LANES_ ? 2 : 1;
    turned(B + j * b1, b1, count, K, columns);
    for (long i = 0, rows; i < M; i += rows) {
      rows = M - i >= 4 ? 4 : 1;
      const Number* a = A + i * a0;
      block_of(rows, vectors, a, a0, 1, columns, BLOCK, whole, WIDE, sum);
      for (int l = 1; l < WIDE; l++) {
        block_of(rows, vectors, a + l, a0, 1, columns + l * BLOCK, BLOCK, whole, WIDE, s);
        for (int r = 0; r < rows; r++)
          for (int v = 0; v < vectors; v++) sum[r][v] += s[r][v];
      }
      for (long k = whole; k < K; k++)
        for (int r = 0; r < rows; r++)
          for (int v = 0; v < vectors; v++)
            sum[r][v] += a[r * a0 + k] * *(Wide*)(columns + k * BLOCK + v * LANES_);
      for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
          put(C + (i + r) * N + j + v * LANES_, sum[r][v], count - v * LANES_);
    }
  }
}

/* The function ``multiply`` of runtime.c; 0 where it is left to the translated one. */
OWN int wide_multiply(u8* m, s32 ao, s32 a0, s32 a1, s32 bo, s32 b0, s32 b1, s32 co, s32 M, s32 N,
                      s32 K, s32 bias, s32 has_bias) {
  Number* H = (Number*)(m + wasm_heap(m));
  if (a1 == 1 && b0 == 1 && K >= WIDE) {
    if (K > DEEPEST || M < FEWEST_ROWS) return 0;
    by_dots(H + ao, a0, H + bo, b1, H + co, M, N, K);
  } else {
    if (b1 != 1 || N % LANES_) return 0;
    by_rows(H + ao, a0, a1, H + bo, b0, H + co, M, N, K);
  }
  Number *C = H + co, *V = H + bias;
  for (long i = 0; has_bias && i < M; i++)
    for (long j = 0; j < N; j++) C[i * N + j] += V[j];
  return 1;
}
