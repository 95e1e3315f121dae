import assert from "node:assert/strict";
import { test } from "node:test";

import { Playback } from "../../src/gym_hil/viewers/web/static/playback.js";
import { assertClose } from "./numbers.js";

const HALF = Math.SQRT1_2;

/** Return the bytes of a batch of frames, each a list of poses [x, y, z, w, i, j, k]. */
function batch(...frames) {
  return new Float32Array(frames.flat(2)).buffer;
}

function at(x, quaternion = [1, 0, 0, 0]) {
  return [x, 0, 0, ...quaternion];
}

function playing(bodies = 1) {
  const playback = new Playback();
  playback.reset(bodies);
  return playback;
}

test("nothing is shown before the first batch or for an unknown scene", () => {
  const playback = new Playback();
  assert.equal(playback.poses(0), null);
  playback.add(batch([at(1)]), 0);
  assert.equal(playback.poses(0), null);
  playback.reset(1);
  assert.equal(playback.poses(0), null);
});

test("the first batch is shown as it ends", () => {
  const playback = playing();
  playback.add(batch([at(1)], [at(2)]), 0);
  assertClose(playback.poses(0), at(2));
  assertClose(playback.poses(500), at(2));
});

test("a batch is played over one period and then stands", () => {
  const playback = playing();
  playback.add(batch([at(0)]), 0);
  playback.add(batch([at(1)], [at(2)]), 100);
  for (const [time, x] of [[100, 0], [125, 0.5], [150, 1], [175, 1.5], [200, 2], [900, 2]])
    assertClose(playback.poses(time), at(x));
});

test("a batch that arrives early continues from the pose that is shown", () => {
  const playback = playing();
  playback.add(batch([at(0)]), 0);
  playback.add(batch([at(1)]), 100);
  playback.add(batch([at(2)]), 150);
  assertClose(playback.poses(150), at(0.5));
  const shown = playback.poses(170)[0];
  assert.ok(shown > 0.5 && shown < 2, `${shown}`);
});

test("the period follows the gaps between batches", () => {
  const playback = playing();
  for (let index = 0; index <= 20; index++) playback.add(batch([at(index)]), 40 * index);
  assertClose(playback.poses(800), at(19), 0.01);
  assertClose(playback.poses(820), at(19.5), 0.01);
  assertClose(playback.poses(840), at(20), 0.01);
});

test("rotations take the shorter way and stay of unit length", () => {
  const playback = playing();
  playback.add(batch([at(0, [1, 0, 0, 0])]), 0);
  playback.add(batch([at(0, [-HALF, 0, 0, -HALF])]), 100);
  const halfway = playback.poses(150).slice(3);
  assertClose([Math.hypot(...halfway)], [1]);
  assertClose(halfway.map(Math.abs), [Math.cos(Math.PI / 8), 0, 0, Math.sin(Math.PI / 8)]);
  assert.ok(halfway[0] * halfway[3] > 0, "an eighth of a turn in the same direction");
});

test("bodies move independently", () => {
  const playback = playing(2);
  playback.add(batch([at(0), at(5)]), 0);
  playback.add(batch([at(1), at(3)]), 100);
  assertClose(playback.poses(150), [...at(0.5), ...at(4)]);
});

test("a message that does not fit the number of bodies is ignored", () => {
  const playback = playing(2);
  playback.add(batch([at(1)]), 0);
  assert.equal(playback.poses(0), null);
});

test("it moves until shortly after a batch was played, and not when the poses stay the same", () => {
  const playback = playing();
  playback.add(batch([at(0)]), 0);
  assert.equal(playback.moving(10), false);
  playback.add(batch([at(1)]), 100);
  assert.equal(playback.moving(199), true);
  assert.equal(playback.moving(300), false);
  playback.add(batch([at(1.00001)]), 300);
  assert.equal(playback.moving(310), false);
});

test("a new scene forgets the old one's poses", () => {
  const playback = playing();
  playback.add(batch([at(1)]), 0);
  playback.reset(2);
  assert.equal(playback.poses(0), null);
  playback.add(batch([at(3), at(4)]), 100);
  assertClose(playback.poses(100), [...at(3), ...at(4)]);
});
