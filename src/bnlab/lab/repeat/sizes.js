// Numbers as readers say them: bnlab.draw.words in JavaScript, to the last character.

const SPACE = "\u00a0", MINUS = "−", RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const ALL_DIGITS = 100;  // with so many, a number is written exactly where it matters here

/** `2.3 times`, `17 points`, `67 % of the images`, `0.56`: two digits of a number in its unit. */
export function sizeText(value, unit) {
  const figure = figureText(value, unit);
  return figure + nounText(unit, figure);
}

/** A range of such numbers, `1.9 to 2.8 times`; an end may be infinite. */
export function spanText(low, high, unit) {
  const below = low === -Infinity, above = high === Infinity;
  if (below && above) return "any value";
  if (below) return `at most ${sizeText(high, unit)}`;
  if (above) return `at least ${sizeText(low, unit)}`;
  const first = figureText(low, unit), last = figureText(high, unit), noun = nounText(unit, last);
  return first === last ? first + noun : `${first} to ${last}${noun}`;
}

function figureText(value, unit) {
  if (unit === "decades") {
    const factor = 10 ** value;
    return factor > 2 / 3 && factor < 1.5 ? fixed(factor, 2) : powerFigure(factor);
  }
  if (!unit || unit.startsWith("of the ")) return twoDigitText(100 * value);
  const near = Math.abs(value) >= 0.1 && Math.abs(value) < 10;
  return near ? fixed(value, 2).replace("-", MINUS) : twoDigitText(value);
}

function nounText(unit, figure) {
  if (unit === "decades") return `${SPACE}times`;
  if (!unit) return figure === "1" ? `${SPACE}point` : `${SPACE}points`;
  return unit.startsWith("of the ") ? `${SPACE}% ${unit}` : "";
}

function twoDigitText(value) {
  const rounded = toTwoDigits(value), size = Math.abs(rounded);
  if (rounded === 0) return "0";
  if (size < 1e-4) return powerFigure(value);
  return (size >= 10 ? grouped(rounded) : String(rounded)).replace("-", MINUS);
}

/** With two digits, or as a power of ten if it is far from 1. */
function powerFigure(value) {
  const size = Math.abs(value);
  if (value === 0) return "0.0";
  if (size === Infinity) return value < 0 ? "-inf" : "inf";
  if (size >= 100 && size < 100_000) return grouped(toTwoDigits(value));
  if (size >= 0.01 && size < 100) return generalText(toTwoDigits(value));
  const exponent = toEven(Math.log10(size)), digits = String(Math.abs(exponent));
  return `10${exponent < 0 ? "⁻" : ""}${digits.replace(/\d/g, (digit) => RAISED[digit])}`;
}

/** What Python's `.2g` makes of a number of two digits: from 100 on it has an exponent. */
const generalText = (rounded) => (Math.abs(rounded) < 100 ? String(rounded) : `${rounded < 0 ? "-" : ""}1e+02`);

const grouped = (whole) => String(BigInt(whole)).replace(/\B(?=(\d{3})+$)/g, ",");

/** A whole number; a half goes to the even one, as in Python. */
const toEven = (value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

/** The number of two digits next to a number; a tie goes to the even digit, as in Python. */
function toTwoDigits(value) {
  const [digits, exponent] = value.toExponential(1).split("e");
  return Number(`${evenAtTie(digits, value.toExponential(ALL_DIGITS).split("e")[0])}e${exponent}`);
}

const fixed = (value, decimals) => evenAtTie(value.toFixed(decimals), value.toFixed(ALL_DIGITS));

/** JavaScript rounds a tie up, Python to the even digit: `rounded`, made even if `exact` is a tie. */
function evenAtTie(rounded, exact) {
  const isTie = /^50*$/.test(exact.slice(rounded.length)), last = Number(rounded.at(-1));
  return isTie && last % 2 ? rounded.slice(0, -1) + (last - 1) : rounded;
}
