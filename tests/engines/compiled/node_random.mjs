// Prints numbers of js/random.js for a comparison with bnlab.random.
const random = await import(process.argv[2]);
const labels = Int32Array.from(random.bits(3, 9, 400), (x) => x % 10);
const draw = (name, k) => [...random.sampler(name, labels, 7, 5, k)(3, 4)];
console.log(
  JSON.stringify({
    bits: [...random.bits(4294967295, 2003, 50, 1000)],
    last: [...random.bits(1, 2, 3, 2 ** 32 - 3)],
    uniform: [...random.uniform(5, 1000, 20)],
    integers: [...random.integers(5, 2, 1197, 20, 64)],
    permutation: [...random.permutation(0, 1, 500)],
    split: random.split(4, 10, [5, 3, 2]).map((part) => [...part]),
    labels: [...labels],
    wrong: [...random.wrongLabels(labels, 0.3, 10, 4294967295)],
    iid: draw("iid"),
    one_class: draw("one_class"),
    k_classes: draw("k_classes", 3),
  }),
);
