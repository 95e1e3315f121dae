// Connects the socket with the view, the panel and the input devices.
import { connect } from "./connect.js";
import { watchGamepad } from "./gamepad.js";
import { watchKeys } from "./keys.js";
import { Panel } from "./panel.js";
import { watchSticks } from "./sticks.js";
import { View } from "./view.js";

const panel = new Panel();
const view = new View(document.getElementById("view"));
const send = connect({
  poses: (buffer) => view.poses(buffer),
  message(message) {
    if (message.scene) {
      view.scene(message.scene);
      panel.scene(message.scene);
      gamepads.layouts(message.scene.pads);
    } else if (message.statistics) panel.statistics(message.statistics);
    else panel.state(message);
  },
  latency: (milliseconds) => panel.latency(milliseconds),
  gone: (why) => panel.gone(why),
});
panel.onControl = (wanted) => send({ type: "control", wanted });
panel.onSlow = (on) => send({ type: "slow", on });
watchKeys(send);
watchSticks(send);
const gamepads = watchGamepad(send, (text) => panel.pad(text), (on) => panel.offerMapping(on));
panel.onMap = () => gamepads.map();
