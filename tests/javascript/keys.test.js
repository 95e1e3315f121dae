import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { watchKeys } from "../../src/gym_hil/viewers/web/static/keys.js";
import { install } from "./page.js";

let page, sent;

beforeEach(() => {
  page = install();
  sent = [];
});

function watch() {
  watchKeys((message) => sent.push(message));
}

test("a key of the robot is sent when it goes down and up, and the browser does not act on it", () => {
  watch();
  assert.equal(page.key("keydown", "ArrowUp"), true);
  page.advance(40);
  assert.equal(page.key("keyup", "ArrowUp"), true);
  assert.deepEqual(sent, [
    { type: "key", key: "ArrowUp", down: true, t: 0 },
    { type: "key", key: "ArrowUp", down: false, t: 40 },
  ]);
});

test("Enter of the numeric keypad is Enter", () => {
  watch();
  assert.equal(page.key("keydown", "NumpadEnter"), true);
  page.key("keyup", "NumpadEnter");
  assert.deepEqual(sent.map(({ key, down }) => [key, down]), [["Enter", true], ["Enter", false]]);
});

test("other keys belong to the browser", () => {
  watch();
  for (const code of ["KeyQ", "Tab", "F5", ""]) assert.equal(page.key("keydown", code), false);
  assert.deepEqual(sent, []);
});

test("repetitions of a held key are not presses", () => {
  watch();
  page.key("keydown", "Space");
  page.key("keydown", "Space", { repeat: true });
  assert.equal(sent.length, 1);
});

test("shortcuts of the browser and the window manager are left alone", () => {
  watch();
  assert.equal(page.key("keydown", "KeyR", { metaKey: true }), false);
  assert.equal(page.key("keydown", "ArrowLeft", { altKey: true }), false);
  assert.equal(page.key("keydown", "KeyR", { ctrlKey: true }), false);
  assert.equal(page.key("keydown", "ControlLeft", { ctrlKey: true }), false);
  assert.deepEqual(sent, []);
});

test("a key that is released while Alt is held is released", () => {
  watch();
  page.key("keydown", "ArrowUp");
  page.key("keydown", "AltLeft", { altKey: true });
  assert.equal(sent.at(-1).down, false, "a shortcut begins");
  page.key("keyup", "ArrowUp", { altKey: true });
  assert.equal(sent.length, 2);
  page.key("keydown", "ArrowDown");
  page.key("keyup", "ArrowDown", { altKey: true, ctrlKey: true, metaKey: true });
  assert.deepEqual([sent.at(-1).key, sent.at(-1).down], ["ArrowDown", false]);
});

test("whatever happens, a key that is up for the person is up for the robot", () => {
  for (const end of [
    () => page.key("keydown", "MetaLeft", { metaKey: true }),
    () => page.key("keydown", "ControlRight", { ctrlKey: true }),
    () => page.events.dispatchEvent(new Event("blur")),
  ]) {
    sent = [];
    page = install();
    watch();
    for (const code of ["ArrowUp", "KeyC"]) page.key("keydown", code);
    end();
    const downs = sent.filter((message) => message.down).length;
    assert.equal(downs, 2);
    assert.equal(sent.length - downs, 2);
  }
});

test("a Shift key whose release Windows does not report is released with the other one", () => {
  watch();
  page.key("keydown", "ShiftLeft", { shiftKey: true });
  page.key("keydown", "ShiftRight", { shiftKey: true });
  page.key("keyup", "ShiftRight", { shiftKey: false });
  assert.deepEqual(new Set(sent.slice(2).map((message) => message.key)), new Set(["ShiftLeft", "ShiftRight"]));
  assert.ok(sent.slice(2).every((message) => !message.down));
});

test("only the pointer that pressed a button releases it", () => {
  const button = page.addButton("CLOSE");
  watch();
  button.point("pointerdown", 1);
  button.point("pointerdown", 2);
  button.point("pointerup", 2);
  assert.equal(sent.length, 1);
  button.point("lostpointercapture", 1);
  assert.equal(sent.at(-1).down, false);
});

test("a drawn button sends its control while a pointer holds it", () => {
  const button = page.addButton("SUCCESS");
  watch();
  assert.equal(button.point("pointerdown", 7), true);
  assert.deepEqual(button.captured, [7], "it is released even where the pointer has left the button");
  button.point("pointerup", 7);
  assert.deepEqual(sent, [
    { type: "button", control: "SUCCESS", down: true },
    { type: "button", control: "SUCCESS", down: false },
  ]);
});

test("a pointer that the browser takes away releases the button", () => {
  const button = page.addButton("CLOSE");
  watch();
  button.point("pointerdown");
  button.point("pointercancel");
  assert.equal(sent.at(-1).down, false);
});

test("no button takes the focus, as it would take Space and Enter for itself", () => {
  const button = page.addButton(null);
  watch();
  assert.equal(button.tabIndex, -1);
  button.dispatchEvent(new Event("click"));
  assert.equal(button.blurred, 1);
});
