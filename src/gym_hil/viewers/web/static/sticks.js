// Two touch sticks: the left one moves forward, back, left and right, the right one up and down. While "turn" is on,
// they turn the hand instead.
const EVERY_MS = 30;

export function watchSticks(send) {
  const body = document.body;
  const levels = { x: 0, y: 0, z: 0, turn: false };
  let told = JSON.stringify(levels);
  const tell = () => {
    if (JSON.stringify(levels) === told) return;
    told = JSON.stringify(levels);
    send({ type: "sticks", ...levels });
  };
  setInterval(tell, EVERY_MS);

  follow(document.getElementById("stick-left"), (right, up) => {
    levels.x = up;
    levels.y = -right;
    tell();
  });
  follow(document.getElementById("stick-right"), (right, up) => {
    levels.z = up;
    tell();
  });
  const turn = document.getElementById("turn");
  turn.addEventListener("click", () => {
    levels.turn = turn.classList.toggle("on");
    tell();
  });
  const toggle = document.getElementById("touch");
  const show = (on) => {
    body.classList.toggle("touch", on);
    toggle.classList.toggle("on", on);
  };
  show(matchMedia("(pointer: coarse)").matches);
  toggle.addEventListener("click", () => show(!body.classList.contains("touch")));
}

function follow(stick, moved) {
  const knob = stick.firstElementChild;
  let finger = null;
  const place = (right, up) => {
    const { width, height } = stick.getBoundingClientRect();
    knob.style.transform = `translate(${(right * (width - 56)) / 2}px, ${(-up * (height - 56)) / 2}px)`;
    moved(right, up);
  };
  const move = (event) => {
    if (event.pointerId !== finger) return;
    const box = stick.getBoundingClientRect();
    let right = (event.clientX - box.left - box.width / 2) / (box.height / 2 - 20);
    const up = -(event.clientY - box.top - box.height / 2) / (box.height / 2 - 20);
    if (stick.classList.contains("tall")) right = 0;
    const length = Math.max(1, Math.hypot(right, up));
    place(right / length, up / length);
  };
  const release = (event) => {
    if (event.pointerId !== finger) return;
    finger = null;
    place(0, 0);
  };
  stick.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    finger = event.pointerId;
    stick.setPointerCapture(finger);
    move(event);
  });
  stick.addEventListener("pointermove", move);
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) stick.addEventListener(name, release);
}
