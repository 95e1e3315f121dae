/**
 * Stand-ins for the parts of a browser that the page's modules use: events, elements, gamepads and timers that
 * a test advances by hand. `install` returns the stand-in and puts it into the global scope.
 */
export function install() {
  const page = new Page();
  const globals = {
    addEventListener: (name, listener) => page.events.addEventListener(name, listener),
    document: {
      querySelectorAll: (selector) => (selector === "button" ? page.buttons : page.buttons.filter((b) => b.dataset.control)),
    },
    navigator: { getGamepads: () => page.gamepads },
    performance: { now: () => page.time },
    setInterval: (callback, period) => page.timers.push({ callback, period, due: page.time + period }),
  };
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return page;
}

class Page {
  events = new EventTarget();
  buttons = [];
  gamepads = [];
  timers = [];
  time = 0;

  /** Let `milliseconds` pass and run the timers that become due, in order. */
  advance(milliseconds) {
    const end = this.time + milliseconds;
    for (;;) {
      const next = this.timers.reduce((first, timer) => (!first || timer.due < first.due ? timer : first), null);
      if (!next || next.due > end) break;
      this.time = next.due;
      next.due += next.period;
      next.callback();
    }
    this.time = end;
  }

  /** Dispatch a key event; return whether the page kept it from the browser. */
  key(name, code, properties = {}) {
    const event = Object.assign(new Event(name, { cancelable: true }), { code, ...properties });
    Object.defineProperty(event, "timeStamp", { value: this.time });
    this.events.dispatchEvent(event);
    return event.defaultPrevented;
  }

  addButton(control) {
    const button = new EventTarget();
    button.dataset = control ? { control } : {};
    button.captured = [];
    button.setPointerCapture = (pointer) => button.captured.push(pointer);
    button.blurred = 0;
    button.blur = () => button.blurred++;
    button.point = (name, pointerId = 1) => {
      const event = Object.assign(new Event(name, { cancelable: true }), { pointerId });
      button.dispatchEvent(event);
      return event.defaultPrevented;
    };
    this.buttons.push(button);
    return button;
  }
}
