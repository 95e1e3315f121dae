// The first gamepad that the browser shows, in the Gamepad API's standard mapping.
const EVERY_MS = 16;
const REPEAT_MS = 500;
const NAMES = ["a", "b", "x", "y", "lb", "rb", "lt", "rt", "back", "start"];

export function watchGamepad(send, say) {
  let known = null, told = "", at = 0;
  setInterval(() => {
    const pad = [...(navigator.getGamepads ? navigator.getGamepads() : [])].find((p) => p && p.connected);
    if (!pad) {
      if (known !== null) send({ type: "pad-gone" });
      known = null;
      told = "";
      return say("");
    }
    if (pad.id !== known) {
      known = pad.id;
      const doubt = pad.mapping === "standard" ? "" : " (not in the browser's list: buttons may be mixed up)";
      say(`${pad.id}${doubt}: hold RB to drive`);
    }
    const round = (value) => Math.round((value || 0) * 100) / 100;
    const [leftX, leftY, rightX, rightY] = pad.axes;
    const sticks = [round(leftX), round(-leftY), round(rightX), round(-rightY)];
    const down = NAMES.filter((name, index) => pad.buttons[index] && pressed(pad.buttons[index]));
    const text = JSON.stringify([sticks, down]);
    // Said once more now and then: after an absence the program has forgotten it.
    if (text === told && performance.now() - at < REPEAT_MS) return;
    told = text;
    at = performance.now();
    send({ type: "pad", sticks, down });
  }, EVERY_MS);
}

function pressed(button) {
  return button.pressed || button.value > 0.5;
}
