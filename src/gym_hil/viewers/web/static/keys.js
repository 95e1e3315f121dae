// Keys, and the buttons that are drawn on the page.
const KEYS = new Set(["Space", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "ShiftLeft", "ShiftRight",
  "ControlLeft", "ControlRight", "KeyF", "KeyR", "KeyP", "Enter", "Escape", "Backspace"]);

export function watchKeys(send) {
  for (const [name, down] of [["keydown", true], ["keyup", false]])
    addEventListener(name, (event) => {
      if (!KEYS.has(event.code) || event.repeat || event.metaKey || event.altKey) return;
      event.preventDefault();
      send({ type: "key", key: event.code, down });
    });
  for (const button of document.querySelectorAll("[data-control]")) {
    const press = (down) => (event) => {
      event.preventDefault();
      if (down) button.setPointerCapture(event.pointerId);
      send({ type: "button", control: button.dataset.control, down });
    };
    button.addEventListener("pointerdown", press(true));
    for (const name of ["pointerup", "pointercancel"]) button.addEventListener(name, press(false));
  }
  // A button that has the focus would take Space and Enter for itself.
  for (const button of document.querySelectorAll("button")) {
    button.tabIndex = -1;
    button.addEventListener("click", () => button.blur());
  }
}
