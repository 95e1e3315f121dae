import assert from "node:assert/strict";

/** Assert that two lists of numbers have the same length and agree within `tolerance`. */
export function assertClose(found, expected, tolerance = 1e-6) {
  assert.equal(found.length, expected.length);
  [...found].forEach((value, index) => {
    const difference = Math.abs(value - expected[index]);
    assert.ok(difference <= tolerance, `element ${index} is ${value} instead of ${expected[index]}`);
  });
}

/** Multiply a 4 x 4 matrix, stored column by column, with a column vector. */
export function apply(matrix, vector) {
  return [0, 1, 2, 3].map((row) => vector.reduce((sum, value, column) => sum + matrix[4 * column + row] * value, 0));
}
