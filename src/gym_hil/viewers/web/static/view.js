// The view of the scene. A worker draws it, so that slow rendering does not delay keys. Mouse and touch rotate it.
import { Drawing } from "./drawing.js";

export class View {
  #canvas;
  #post;
  #pointers = new Map();

  constructor(canvas) {
    this.#canvas = canvas;
    const shown = (frames) => (canvas.dataset.frames = frames);
    if (canvas.transferControlToOffscreen) {
      const worker = new Worker("/worker.js", { type: "module" });
      const offscreen = canvas.transferControlToOffscreen();
      worker.postMessage({ canvas: offscreen }, [offscreen]);
      worker.onmessage = ({ data }) => shown(data);
      this.#post = (message, transfer = []) => worker.postMessage(message, transfer);
    } else {
      const drawing = new Drawing(canvas, shown);
      this.#post = (message) => drawing.receive(message);
    }
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.#turn();
  }

  scene(scene) {
    this.#post({ scene });
  }

  poses(buffer) {
    this.#post({ poses: buffer }, [buffer]);
  }

  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#post({ size: { width, height, ratio: Math.min(devicePixelRatio || 1, 2) } });
  }

  #turn() {
    const canvas = this.#canvas, pointers = this.#pointers;
    const spread = () => {
      const [a, b] = [...pointers.values()];
      return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    };
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const apart = pointers.size === 2 ? spread() : 0;
      pointers.set(event.pointerId, event);
      if (apart) this.#post({ zoom: apart / spread() });
      else this.#post({ turn: [event.clientX - before.clientX, event.clientY - before.clientY] });
    });
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#post({ zoom: Math.exp(event.deltaY * 0.001) });
    }, { passive: false });
  }
}
