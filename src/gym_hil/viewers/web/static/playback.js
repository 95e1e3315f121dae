// Poses arrive in batches, one per step, and are played over the time until the next batch.
const POSE = 7; // x y z (m), quaternion w x y z
const STILL = 1e-4; // smaller motion between two batches counts as none

export class Playback {
  #bodies = 0;
  #frames = []; // the pose that is shown when a batch arrives, followed by the batch
  #arrived = 0;
  #period = 100; // ms between batches
  #now = null;
  #still = false;

  reset(bodies) {
    this.#bodies = bodies;
    this.#frames = [];
    this.#now = null;
  }

  add(buffer, time) {
    const all = new Float32Array(buffer), size = this.#bodies * POSE;
    if (!size || all.length % size) return;
    const batch = [];
    for (let at = 0; at < all.length; at += size) batch.push(all.subarray(at, at + size));
    const last = this.#frames.at(-1), next = batch.at(-1);
    this.#still = !!last && next.every((value, i) => Math.abs(value - last[i]) < STILL);
    if (this.#frames.length) {
      const gap = Math.min(1000, Math.max(15, time - this.#arrived));
      this.#frames = [this.poses(time).slice(), ...batch];
      this.#period = 0.5 * (this.#period + gap);
    } else this.#frames = batch.slice(-1);
    this.#arrived = time;
  }

  moving(time) {
    return !this.#still && this.#frames.length > 1 && time - this.#arrived < this.#period + 50;
  }

  // Return the poses of all bodies at `time`, or null before the first batch.
  poses(time) {
    const frames = this.#frames;
    if (!frames.length) return null;
    const parts = frames.length - 1;
    const at = parts ? Math.min(parts, Math.max(0, ((time - this.#arrived) / this.#period) * parts)) : 0;
    const from = Math.min(Math.floor(at), Math.max(0, parts - 1)), share = at - from;
    const a = frames[from], b = frames[Math.min(parts, from + 1)];
    const now = (this.#now ??= new Float32Array(a.length));
    for (let i = 0; i < a.length; i += POSE) {
      for (let k = 0; k < 3; k++) now[i + k] = a[i + k] + share * (b[i + k] - a[i + k]);
      let dot = 0, length = 0;
      for (let k = 3; k < 7; k++) dot += a[i + k] * b[i + k];
      const sign = dot < 0 ? -1 : 1;
      for (let k = 3; k < 7; k++) {
        now[i + k] = a[i + k] * (1 - share) + sign * b[i + k] * share;
        length += now[i + k] ** 2;
      }
      for (let k = 3; k < 7; k++) now[i + k] /= Math.sqrt(length) || 1;
    }
    return now;
  }
}
