import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { watchGamepad } from "../../src/gym_hil/viewers/web/static/gamepad.js";
import { install } from "./page.js";

let page, sent, shown;

beforeEach(() => {
  page = install();
  sent = [];
  shown = [];
  watchGamepad((message) => sent.push(message), (text) => shown.push(text));
});

function pad(properties = {}) {
  return {
    id: "Pad",
    connected: true,
    mapping: "standard",
    axes: [0, 0, 0, 0],
    buttons: Array.from({ length: 17 }, () => ({ pressed: false, value: 0 })),
    ...properties,
  };
}

test("sticks are sent with up and right as positive", () => {
  page.gamepads = [pad({ axes: [0.25, -1, -0.5, 0.75] })];
  page.advance(20);
  assert.deepEqual(sent, [{ type: "pad", sticks: [0.25, 1, -0.5, -0.75], down: [] }]);
});

test("buttons have the names of the standard mapping", () => {
  const names = ["a", "b", "x", "y", "lb", "rb", "lt", "rt", "back", "start"];
  names.forEach((name, index) => {
    const held = pad();
    held.buttons[index] = { pressed: true, value: 1 };
    page.gamepads = [held];
    page.advance(20);
    assert.deepEqual(sent.at(-1).down, [name]);
  });
});

test("a trigger counts as pressed from half its travel", () => {
  const held = pad();
  page.gamepads = [held];
  held.buttons[7] = { pressed: false, value: 0.4 };
  page.advance(20);
  assert.deepEqual(sent.at(-1).down, []);
  held.buttons[7] = { pressed: false, value: 0.6 };
  page.advance(20);
  assert.deepEqual(sent.at(-1).down, ["rt"]);
});

test("what does not change is repeated twice a second only", () => {
  page.gamepads = [pad({ axes: [1, 0, 0, 0] })];
  page.advance(400);
  assert.equal(sent.length, 1);
  page.advance(200);
  assert.equal(sent.length, 2);
});

test("noise below a hundredth is not sent", () => {
  const noisy = pad();
  page.gamepads = [noisy];
  page.advance(20);
  noisy.axes = [0.003, -0.002, 0.001, 0];
  page.advance(20);
  assert.equal(sent.length, 1);
});

test("a gamepad that goes away is reported once", () => {
  page.gamepads = [null, pad()];
  page.advance(20);
  page.gamepads = [null];
  page.advance(200);
  assert.deepEqual(sent.slice(1), [{ type: "pad-gone" }]);
  assert.equal(shown.at(-1), "");
});

test("without any gamepad nothing is sent", () => {
  page.advance(1000);
  assert.deepEqual(sent, []);
});

test("a gamepad with missing axes and buttons rests", () => {
  page.gamepads = [pad({ axes: [], buttons: [] })];
  page.advance(20);
  assert.deepEqual(sent, [{ type: "pad", sticks: [0, 0, 0, 0], down: [] }]);
});

test("a gamepad that the browser cannot map is used with a warning", () => {
  page.gamepads = [pad({ mapping: "" })];
  page.advance(20);
  assert.match(shown.at(-1), /^Pad \(not in the browser's list/);
});
