// The texts, numbers and colours of the page.
const $ = (id) => document.getElementById(id);
const CONTROL_LABELS = { control: "stop driving", free: "drive", watch: "ask to drive", waiting: "waiting: cancel request" };

export class Panel {
  onControl = () => {};
  onSlow = () => {};
  onMap = () => {};
  #role = "watch";
  #slow = false;
  #episodes = null;

  constructor() {
    $("control").addEventListener("click", () => this.onControl(this.#role === "free" || this.#role === "watch"));
    $("map-pad").addEventListener("click", () => this.onMap());
    $("slow").addEventListener("click", () => this.onSlow(!this.#slow));
  }

  scene({ title, instruction, help }) {
    document.title = title;
    $("instruction").textContent = instruction;
    $("keys").replaceChildren(...help.split(", ").filter(Boolean).flatMap((entry) => {
      const [key, meaning] = entry.split(": ");
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = key;
      dd.textContent = meaning;
      return [dt, dd];
    }));
  }

  state({ who, note, clock, slow, speed, role, waiting }) {
    document.body.dataset.who = who;
    document.body.dataset.role = this.#role = role;
    $("who").textContent = who;
    $("clock").textContent = `${clock.toFixed(1)} s`;
    const asked = waiting && role === "control" ? `${waiting} asking to drive` : "";
    $("note").textContent = [role === "control" ? asked : "watching", note].filter(Boolean).join(" · ");
    $("control").textContent = CONTROL_LABELS[role];
    $("speed").textContent = speed ? `speed: ${speed}` : "next speed";
    this.#slow = slow;
    $("slow").classList.toggle("on", slow);
  }

  statistics({ episodes, success, human, last, history }) {
    const percent = (share) => (share === null ? "–" : `${Math.round(100 * share)} %`);
    $("success-rate").textContent = percent(success);
    $("human-rate").textContent = percent(human);
    $("episodes").textContent = episodes;
    if (this.#episodes !== null && episodes > this.#episodes) this.#toast(last);
    this.#episodes = episodes;
    plot($("plot"), history);
  }

  latency(milliseconds) {
    $("latency").textContent = `${milliseconds.toFixed(0)} ms`;
  }

  pad(text) {
    if ($("pad").textContent !== text) $("pad").textContent = text;
  }

  offerMapping(on) {
    $("map-pad").hidden = !on;
  }

  gone(why) {
    document.body.dataset.who = "GONE";
    $("who").textContent = why;
    $("latency").textContent = "";
  }

  #toast(success) {
    const toast = $("toast");
    toast.textContent = success ? "success" : "no success";
    toast.className = `shown ${success ? "good" : "bad"}`;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (toast.className = ""), 2000);
  }
}

function plot(canvas, history) {
  const pen = canvas.getContext("2d"), { width, height } = canvas, edge = 12;
  pen.clearRect(0, 0, width, height);
  pen.strokeStyle = "#333a44";
  for (const share of [0, 0.5, 1]) line(pen, [[0, share], [1, share]], width, height, edge);
  const count = Math.max(1, history.length - 1);
  ["#56d364", "#ff9a55"].forEach((colour, index) => {
    pen.strokeStyle = pen.fillStyle = colour;
    const points = history.map((rates, episode) => [history.length > 1 ? episode / count : 0, rates[index]]);
    line(pen, points, width, height, edge);
  });
}

function line(pen, points, width, height, edge) {
  pen.lineWidth = points.length > 2 ? 4 : 2;
  pen.beginPath();
  points.forEach(([x, y], index) => {
    const at = [edge + x * (width - 2 * edge), height - edge - y * (height - 2 * edge)];
    if (points.length === 1) pen.arc(...at, 4, 0, 7);
    else if (index) pen.lineTo(...at);
    else pen.moveTo(...at);
  });
  pen.stroke();
}
