// The gamepads of the browser. The one on which the person presses RB is used.
import { Mapper, STANDARD, keepLayout, layoutOf, readPad } from "./padlayout.js";

const EVERY_MS = 16;
const REPEAT_MS = 500;

// `send` sends a message, `showText` shows a text, and `offer` shows whether the current gamepad can be mapped.
// Returns functions that set the `known` layouts, and map the current gamepad.
export function watchGamepad(send, showText, offer = () => {}) {
  let known = {}, used = null, mapper = null, told = "", at = 0;

  setInterval(() => {
    const pads = [...(navigator.getGamepads ? navigator.getGamepads() : [])].filter((pad) => pad && pad.connected);
    const pad = choose(pads);
    if (!pad) {
      if (used !== null) send({ type: "pad-gone" });
      used = mapper = null;
      told = "";
      offer(false);
      return showText("");
    }
    if (used !== keyOf(pad)) {
      used = keyOf(pad);
      mapper = null;
      told = "";
    }
    if (mapper) return mapStep(pad);
    const layout = layoutOf(pad, known);
    offer(pad.mapping !== "standard");
    showText(layout ? `${pad.id}: hold RB to drive`
      : `${pad.id}: nobody knows its buttons, so they may be mixed up; press "map gamepad" to set them`);
    const { sticks, down } = readPad(pad, layout || STANDARD);
    const text = JSON.stringify([sticks, down]);
    // Repeat the state from time to time, because the program discards it during an absence.
    if (text === told && performance.now() - at < REPEAT_MS) return;
    told = text;
    at = performance.now();
    send({ type: "pad", sticks, down });
  }, EVERY_MS);

  function choose(pads) {
    const current = pads.find((pad) => keyOf(pad) === used);
    const drives = (pad) => readPad(pad, layoutOf(pad, known) || STANDARD).down.includes("rb");
    if (current && (mapper || drives(current))) return current;
    return pads.find(drives) || current || pads.find((pad) => layoutOf(pad, known)) || pads[0];
  }

  function mapStep(pad) {
    mapper.look(pad);
    if (mapper.prompt !== null) return showText(`${pad.id}: ${mapper.prompt}`);
    keepLayout(pad, mapper.layout);
    mapper = null;
  }

  return {
    layouts(layouts) {
      known = layouts || {};
    },
    map() {
      const pad = [...navigator.getGamepads()].find((each) => each && keyOf(each) === used);
      if (!pad) return;
      mapper = new Mapper(pad);
      send({ type: "pad-gone" });
    },
  };
}

function keyOf(pad) {
  return `${pad.index ?? 0} ${pad.id}`;
}
