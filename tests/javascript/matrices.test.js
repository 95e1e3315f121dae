import assert from "node:assert/strict";
import { test } from "node:test";

import { fromPose, inverse, orbit, perspective, times } from "../../src/gym_hil/viewers/web/static/matrices.js";
import { apply, assertClose } from "./numbers.js";

const IDENTITY = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const HALF = Math.SQRT1_2;

test("a quarter turn about z takes x to y, and the position is added", () => {
  const pose = fromPose([1, 2, 3], [HALF, 0, 0, HALF]);
  assertClose(apply(pose, [1, 0, 0, 1]), [1, 3, 3, 1]);
  assertClose(apply(pose, [0, 1, 0, 0]), [-1, 0, 0, 0]);
});

test("quarter turns about x and y follow the right-hand rule", () => {
  assertClose(apply(fromPose([0, 0, 0], [HALF, HALF, 0, 0]), [0, 1, 0, 0]), [0, 0, 1, 0]);
  assertClose(apply(fromPose([0, 0, 0], [HALF, 0, HALF, 0]), [0, 0, 1, 0]), [1, 0, 0, 0]);
});

test("a product applies its right factor first", () => {
  const move = fromPose([1, 0, 0], [1, 0, 0, 0]), turn = fromPose([0, 0, 0], [HALF, 0, 0, HALF]);
  assertClose(apply(times(turn, move), [0, 0, 0, 1]), [0, 1, 0, 1]);
  assertClose(apply(times(move, turn), [0, 0, 0, 1]), [1, 0, 0, 1]);
});

test("a pose times its inverse is the identity", () => {
  for (let sample = 0; sample < 50; sample++) {
    const quaternion = [1, 2, 3, 4].map((k) => Math.sin(7 * sample + k));
    const length = Math.hypot(...quaternion);
    const pose = fromPose([sample, -2, 0.5], quaternion.map((value) => value / length));
    assertClose(times(pose, inverse(pose)), IDENTITY, 1e-9);
    assertClose(times(inverse(pose), pose), IDENTITY, 1e-9);
  }
});

test("perspective maps the near and far planes and the edge of the view to the clip volume", () => {
  const matrix = perspective(Math.PI / 2, 2, 0.1, 10);
  const clip = (point) => {
    const [x, y, z, w] = apply(matrix, [...point, 1]);
    return [x / w, y / w, z / w];
  };
  assertClose(clip([0, 0, -0.1]), [0, 0, -1]);
  assertClose(clip([0, 0, -10]), [0, 0, 1]);
  assertClose(clip([0, 3, -3]).slice(0, 2), [0, 1], 1e-9);
  assertClose(clip([6, 0, -3]).slice(0, 2), [1, 0], 1e-9);
});

test("an orbiting camera looks at its centre from its distance, upright", () => {
  const centre = [0.4, 0.1, 0.2];
  const pose = orbit({ azimuth: -0.8, elevation: 0.4, distance: 1.5, centre });
  assertClose(times(pose, inverse(pose)), IDENTITY, 1e-9);
  assertClose(apply(inverse(pose), [...centre, 1]), [0, 0, -1.5, 1], 1e-9);
  assert.ok(apply(pose, [0, 1, 0, 0])[2] > 0.9, "the camera's up axis points up");
});
