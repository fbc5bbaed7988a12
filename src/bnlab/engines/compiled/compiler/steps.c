/* Running programs. A program is a list of calls: the number of a kernel and its places. */

static void run_(int B, const int* p, const int* end) {
  while (p < end) switch (*p++) {
KERNELS
  }
}

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(heap) REAL* heap(void) { return H; }

/* Runs the numbers ``first`` to ``end`` of the program at ``code``, for a batch of B. */
EXPORT(run) void run(int B, int code, int first, int end) {
  run_(B, (const int*)(H + code) + first, (const int*)(H + code) + end);
}

/* What ``steps`` needs to know, in words of the heap; written by the host. */
struct Task {
  int batch, params;         /* sizes that the two programs are run for */
  int gradient, gradient_n;  /* program: forward and backward pass; its length */
  int update, update_n;      /* program: the optimizer */
  int x, y, features;        /* where a batch goes; numbers a sample */
  int images, labels;        /* the data that it is taken from */
  int numbers;               /* which samples: whole, batch by batch */
  int loss, accuracy;        /* where the program leaves them */
  int record;                /* where they are kept: two REAL a step */
};

/* Up to ``count`` steps; ends early when the loss is beyond ``limit`` or NaN. Steps taken. */
EXPORT(steps) int steps(int task, int count, double limit) {
  const struct Task* t = (const struct Task*)(H + task);
  for (int s = 0; s < count; s++) {
    for (int b = 0; b < t->batch; b++) {
      int number = INT(t->numbers + s * t->batch + b);
      const REAL* image = H + t->images + number * t->features;
      for (int f = 0; f < t->features; f++) H[t->x + b * t->features + f] = image[f];
      INT(t->y + b) = INT(t->labels + number);
    }
    run(t->batch, t->gradient, 0, t->gradient_n);
    run(t->params, t->update, 0, t->update_n);
    H[t->record + 2 * s] = H[t->loss];
    H[t->record + 2 * s + 1] = H[t->accuracy];
    if (!(H[t->loss] <= limit)) return s + 1;
  }
  return count;
}
