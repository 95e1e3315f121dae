// The axis and button numbers of a gamepad, in the format of controller_config.json, and the interactive mapping of
// unknown gamepads.
const STICKS = ["left_x", "left_y", "right_x", "right_y"];
const BUTTONS = ["a", "b", "x", "y", "lb", "rb", "lt", "rt", "back", "start"];
const STORED = "gym-hil gamepad ";

// The Gamepad API's standard mapping.
export const STANDARD = {
  axes: { left_x: 0, left_y: 1, right_x: 2, right_y: 3 },
  buttons: Object.fromEntries(BUTTONS.map((name, index) => [name, index])),
  axis_inversion: { left_y: true, right_y: true },
};

// Return the layout of `pad`: that of the browser, of the person, or of `known` by name; null if there is none.
export function layoutOf(pad, known) {
  if (pad.mapping === "standard") return STANDARD;
  const own = globalThis.localStorage?.getItem(STORED + pad.id);
  if (own) return JSON.parse(own);
  const name = Object.keys(known).find((key) => key !== "default" && pad.id.includes(key));
  return name ? known[name] : null;
}

export function keepLayout(pad, layout) {
  globalThis.localStorage?.setItem(STORED + pad.id, JSON.stringify(layout));
}

// Return the levels of the sticks, right and up positive, and the names of the buttons that are down.
export function readPad(pad, layout) {
  const axis = (name) => (pad.axes[layout.axes[name]] || 0) * (layout.axis_inversion?.[name] ? -1 : 1);
  const sticks = STICKS.map((name) => Math.round((axis(name) || 0) * 100) / 100);
  const down = BUTTONS.filter((name) =>
    name in layout.buttons ? pressed(pad.buttons[layout.buttons[name]]) : name in layout.axes && axis(name) > 0);
  return { sticks, down };
}

const STEPS = [
  ["left_x", "push the left stick to the right"],
  ["left_y", "push the left stick up"],
  ["right_x", "push the right stick to the right"],
  ["right_y", "push the right stick up"],
  ["rb", "press the right shoulder button, which will take over (RB)"],
  ["lb", "press the left shoulder button (LB)"],
  ["lt", "press the left trigger (LT)"],
  ["rt", "press the right trigger (RT)"],
  ["a", "of the four buttons at the right, press the lowest (A)"],
  ["b", "press the right one of the four (B)"],
  ["x", "press the left one of the four (X)"],
  ["y", "press the upper one of the four (Y)"],
  ["start", "press Start"],
];
const MOVED = 0.6;

// Asks for one stick or button after the other. Call `look` repeatedly until `prompt` is null.
export class Mapper {
  layout = { axes: {}, buttons: {}, axis_inversion: {} };
  #step = 0;
  #rest;
  #released = true;

  constructor(pad) {
    this.#rest = [...pad.axes];
  }

  get prompt() {
    return this.#step < STEPS.length ? STEPS[this.#step][1] : null;
  }

  look(pad) {
    const moves = pad.axes.map((level, index) => level - (this.#rest[index] || 0));
    const axis = moves.findIndex((move) => Math.abs(move) > MOVED);
    const button = pad.buttons.findIndex(pressed);
    if (axis < 0 && button < 0) this.#released = true;
    if (!this.#released || this.prompt === null || (axis < 0 && button < 0)) return;
    const [name] = STEPS[this.#step];
    if (STICKS.includes(name)) {
      if (axis < 0) return;
      this.layout.axes[name] = axis;
      this.layout.axis_inversion[name] = moves[axis] < 0;
    } else if (button >= 0) this.layout.buttons[name] = button;
    else if (name === "lt" || name === "rt") this.layout.axes[name] = axis;
    else return;
    this.#released = false;
    this.#step++;
  }
}

function pressed(button) {
  return !!button && (button.pressed || button.value > 0.5);
}
