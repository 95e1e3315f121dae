// Keys and the buttons of the page. Every press is followed by a release.
const KEYS = new Set(["Space", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "ShiftLeft", "ShiftRight",
  "KeyC", "KeyO", "KeyT", "KeyF", "KeyR", "KeyP", "Enter", "Escape", "Backspace"]);
// These keys begin shortcuts, and on some systems no releases of other keys are reported while they are held.
const SHORTCUT_KEYS = new Set(["AltLeft", "AltRight", "MetaLeft", "MetaRight", "ControlLeft", "ControlRight"]);

const named = ({ code }) => (code === "NumpadEnter" ? "Enter" : code);

export function watchKeys(send) {
  const held = new Set();
  const release = (code, t) => {
    if (held.delete(code)) send({ type: "key", key: code, down: false, t });
  };
  const releaseAll = (t) => [...held].forEach((code) => release(code, t));

  addEventListener("keydown", (event) => {
    const { timeStamp } = event, code = named(event);
    followShift(event);
    if (SHORTCUT_KEYS.has(code)) return releaseAll(timeStamp);
    if (!KEYS.has(code) || event.metaKey || event.altKey || event.ctrlKey) return;
    event.preventDefault();
    if (event.repeat || held.has(code)) return;
    held.add(code);
    send({ type: "key", key: code, down: true, t: timeStamp });
  });
  addEventListener("keyup", (event) => {
    followShift(event);
    if (held.has(named(event))) event.preventDefault();
    release(named(event), event.timeStamp);
  });
  addEventListener("blur", () => releaseAll(performance.now()));

  // With both Shift keys down, Windows reports the release of one of them only.
  function followShift(event) {
    if (event.shiftKey === false) for (const code of ["ShiftLeft", "ShiftRight"]) release(code, event.timeStamp);
  }

  for (const button of document.querySelectorAll("[data-control]")) watchButton(button, send);
  // A button with the focus would consume Space and Enter.
  for (const button of document.querySelectorAll("button")) {
    button.tabIndex = -1;
    button.addEventListener("click", () => button.blur());
  }
}

function watchButton(button, send) {
  let pointer = null;
  button.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    button.setPointerCapture(pointer);
    send({ type: "button", control: button.dataset.control, down: true });
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
    button.addEventListener(name, (event) => {
      if (event.pointerId !== pointer) return;
      event.preventDefault();
      pointer = null;
      send({ type: "button", control: button.dataset.control, down: false });
    });
}
