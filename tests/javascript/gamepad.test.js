import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { watchGamepad } from "../../src/gym_hil/viewers/web/static/gamepad.js";
import { install } from "./page.js";

let page, pads, sent, shown, offered;

beforeEach(() => {
  page = install();
  sent = [];
  shown = [];
  offered = [];
  const stored = new Map();
  globalThis.localStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
  };
  pads = watchGamepad((message) => sent.push(message), (text) => shown.push(text), (on) => offered.push(on));
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

test("a gamepad that nobody knows is used with a warning, and can be mapped", () => {
  page.gamepads = [pad({ mapping: "" })];
  page.advance(20);
  assert.match(shown.at(-1), /^Pad: nobody knows its buttons/);
  assert.equal(offered.at(-1), true);
});

test("a gamepad that the browser cannot map is read by its known layout", () => {
  pads.layouts({
    "Odd Pad": {
      axes: { left_x: 3, left_y: 2, right_x: 1, right_y: 0, lt: 4 },
      buttons: { a: 1, x: 0, y: 3, rb: 7, rt: 9 },
      axis_inversion: { left_y: true },
    },
  });
  const odd = pad({ id: "Vendor Odd Pad (0000)", mapping: "", axes: [0.5, 0, -1, 0.25, 1] });
  odd.buttons[7] = { pressed: true, value: 1 };
  page.gamepads = [odd];
  page.advance(20);
  assert.deepEqual(sent, [{ type: "pad", sticks: [0.25, 1, 0, 0.5], down: ["rb", "lt"] }]);
  assert.match(shown.at(-1), /hold RB to drive$/);
});

test("of several gamepads the one drives on which RB is pressed", () => {
  const first = pad({ id: "First", index: 0 }), second = pad({ id: "Second", index: 1, axes: [1, 0, 0, 0] });
  page.gamepads = [first, second];
  page.advance(20);
  assert.deepEqual(sent.at(-1).sticks, [0, 0, 0, 0]);
  second.buttons[5] = { pressed: true, value: 1 };
  page.advance(20);
  assert.deepEqual(sent.at(-1), { type: "pad", sticks: [1, 0, 0, 0], down: ["rb"] });
  first.buttons[5] = { pressed: true, value: 1 };
  page.advance(20);
  assert.match(shown.at(-1), /^Second/);
  second.buttons[5] = { pressed: false, value: 0 };
  page.advance(20);
  assert.match(shown.at(-1), /^First/);
});

test("a joystick that nobody knows does not hide a gamepad", () => {
  page.gamepads = [pad({ id: "Motion Sensors", index: 0, mapping: "" }), pad({ id: "Real", index: 1 })];
  page.advance(20);
  assert.match(shown.at(-1), /^Real/);
});

test("a person shows the numbers of a gamepad once", () => {
  const odd = pad({ id: "Odd", mapping: "", axes: [0, 0, 0, 0, -1] });
  page.gamepads = [odd];
  page.advance(20);
  pads.map();
  const rest = [...odd.axes];
  const stick = (index, level) => {
    odd.axes[index] = level;
    page.advance(20);
    odd.axes[index] = rest[index];
    page.advance(20);
  };
  const button = (index) => {
    odd.buttons[index] = { pressed: true, value: 1 };
    page.advance(40);
    odd.buttons[index] = { pressed: false, value: 0 };
    page.advance(20);
  };
  page.advance(20);
  assert.match(shown.at(-1), /push the left stick to the right/);
  button(3);
  assert.match(shown.at(-1), /push the left stick to the right/, "a button is no stick");
  stick(2, 1);
  stick(3, -1);
  stick(0, 1);
  stick(1, 1);
  for (const index of [9, 8]) button(index);
  stick(4, 1);
  for (const index of [7, 0, 1, 2, 3, 4]) button(index);
  page.advance(20);
  assert.match(shown.at(-1), /hold RB to drive$/);
  odd.axes[3] = -1;
  odd.buttons[9] = { pressed: true, value: 1 };
  page.advance(20);
  assert.deepEqual(sent.at(-1), { type: "pad", sticks: [0, 1, 0, 0], down: ["rb"] });
});
