"use strict";
const $ = (id) => document.getElementById(id);
const KEYS = new Set([...document.querySelectorAll("[data-key]")].map((b) => b.dataset.key).concat("KeyF"));
let socket = null, role = "watch", meshes = [], before = null, now = null, arrived = 0, period = 100;

// Meshes: triangles with normals, in metres, as MuJoCo sizes a geom.

function lathe(profile, sides = 24) {
  // profile: [radius, z, normal radius, normal z] from bottom to top, turned about z.
  const out = [];
  const point = (p, i) => {
    const a = (2 * Math.PI * i) / sides, c = Math.cos(a), s = Math.sin(a);
    return [p[0] * c, p[0] * s, p[1], p[2] * c, p[2] * s, p[3]];
  };
  for (let k = 0; k + 1 < profile.length; k++)
    for (let i = 0; i < sides; i++) {
      const [a, b, c, d] = [point(profile[k], i), point(profile[k], i + 1),
                            point(profile[k + 1], i + 1), point(profile[k + 1], i)];
      out.push(...a, ...b, ...c, ...a, ...c, ...d);
    }
  return out;
}

function cap(radius, z, sign, steps = 8) {
  const arc = [];
  for (let k = 0; k <= steps; k++) {
    const a = (Math.PI / 2) * (k / steps), c = Math.cos(a), s = Math.sin(a);
    arc.push([radius * c, z + sign * radius * s, c, sign * s]);
  }
  return sign > 0 ? arc : arc.reverse();
}

function box([x, y, z]) {
  const out = [], half = [x, y, z];
  for (let axis = 0; axis < 3; axis++)
    for (const sign of [-1, 1]) {
      const u = (axis + 1) % 3, v = (axis + 2) % 3;
      const corner = (a, b) => {
        const p = [0, 0, 0], n = [0, 0, 0];
        p[axis] = sign * half[axis]; p[u] = a * half[u]; p[v] = b * half[v]; n[axis] = sign;
        return [...p, ...n];
      };
      out.push(...corner(-1, -1), ...corner(1, -1), ...corner(1, 1),
               ...corner(-1, -1), ...corner(1, 1), ...corner(-1, 1));
    }
  return out;
}

function triangles({ type, size }) {
  const [r, h] = size;
  if (type === "box") return box(size);
  if (type === "plane") return box([2, 2, 0.0005]);
  if (type === "sphere") return lathe([...cap(r, 0, -1), ...cap(r, 0, 1)]);
  if (type === "capsule") return lathe([...cap(r, -h, -1), ...cap(r, h, 1)]);
  if (type === "cylinder")
    return lathe([[0, -h, 0, -1], [r, -h, 0, -1], [r, -h, 1, 0], [r, h, 1, 0], [r, h, 0, 1], [0, h, 0, 1]]);
  if (type === "ellipsoid") {
    const unit = lathe([...cap(1, 0, -1), ...cap(1, 0, 1)]);
    for (let i = 0; i < unit.length; i += 6)
      for (let k = 0; k < 3; k++) { unit[i + k] *= size[k]; unit[i + 3 + k] /= size[k]; }
    return unit;
  }
  return [];
}

// Drawing.

const gl = $("view").getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
const VERTEX = `attribute vec3 p, n; uniform mat4 pose, camera; uniform bool flat_; varying vec3 w, wn;
void main() { vec4 q = pose * vec4(p, 1.0); wn = mat3(pose) * n;
  if (flat_) q.xyz = vec3(q.xy - vec2(-0.35, 0.45) * -q.z * 0.6, 0.0015);
  w = q.xyz; gl_Position = camera * q; }`;
const FRAGMENT = `precision mediump float; varying vec3 w, wn; uniform vec4 colour; uniform bool flat_, floor_;
void main() { vec3 c = colour.rgb;
  if (flat_) { gl_FragColor = vec4(0.50, 0.52, 0.55, 1.0); return; }
  if (floor_) c = mod(floor(w.x * 5.0) + floor(w.y * 5.0), 2.0) < 0.5 ? vec3(0.80, 0.82, 0.84) : vec3(0.72, 0.74, 0.77);
  float light = 0.5 + 0.5 * max(0.0, dot(normalize(wn), normalize(vec3(0.35, -0.45, 1.0))));
  gl_FragColor = vec4(c * light, 1.0); }`;
function shader(kind, text) {
  const s = gl.createShader(kind); gl.shaderSource(s, text); gl.compileShader(s);
  if (!gl.getShaderParameter(s, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(s));
  return s;
}
const program = gl.createProgram();
gl.attachShader(program, shader(gl.VERTEX_SHADER, VERTEX));
gl.attachShader(program, shader(gl.FRAGMENT_SHADER, FRAGMENT));
gl.linkProgram(program); gl.useProgram(program); gl.enable(gl.DEPTH_TEST);
const at = Object.fromEntries(["pose", "camera", "flat_", "floor_", "colour"].map(
  (name) => [name, gl.getUniformLocation(program, name)]));
const P = gl.getAttribLocation(program, "p"), N = gl.getAttribLocation(program, "n");

function build(scene) {
  meshes = scene.map((geom) => {
    const data = new Float32Array(triangles(geom)), buffer = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer); gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
    return { buffer, count: data.length / 6, colour: geom.rgba, floor: geom.type === "plane" };
  });
}

const view = { azimuth: -0.82, elevation: 0.42, distance: 1.35, centre: [0.40, 0, 0.22] };
function camera(aspect) {
  const { azimuth: a, elevation: e, distance: d, centre: c } = view;
  const f = [-Math.cos(e) * Math.cos(a), -Math.cos(e) * Math.sin(a), -Math.sin(e)];
  const r = [-Math.sin(a), Math.cos(a), 0];
  const u = [r[1] * f[2] - r[2] * f[1], r[2] * f[0] - r[0] * f[2], r[0] * f[1] - r[1] * f[0]];
  const eye = c.map((v, i) => v - d * f[i]), dot = (x) => x[0] * eye[0] + x[1] * eye[1] + x[2] * eye[2];
  const t = 1 / Math.tan(0.4), n = 0.05, z = 10, k = (z + n) / (n - z), m = (2 * z * n) / (n - z);
  const s = t / aspect;
  return [s * r[0], t * u[0], -k * f[0], f[0], s * r[1], t * u[1], -k * f[1], f[1],
          s * r[2], t * u[2], -k * f[2], f[2], -s * dot(r), -t * dot(u), k * dot(f) + m, -dot(f)];
}

let drawn = 0;
function draw() {
  requestAnimationFrame(draw);
  if (performance.now() - drawn < 30) return; // the thread also hears keys and says that somebody is here
  drawn = performance.now();
  const canvas = $("view"), scale = Math.min(devicePixelRatio || 1, 2);
  canvas.width = canvas.clientWidth * scale; canvas.height = canvas.clientHeight * scale;
  gl.viewport(0, 0, canvas.width, canvas.height);
  gl.clearColor(0.80, 0.86, 0.92, 1); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
  if (!now || now.length !== meshes.length * 12) return;
  gl.uniformMatrix4fv(at.camera, false, camera(canvas.width / canvas.height));
  // The newest pose is reached one period after it arrived, so motion is even between two of them.
  const s = before ? Math.min(1, (performance.now() - arrived) / period) : 1, from = before || now;
  for (const flat of [0, 1]) {
    gl.uniform1i(at.flat_, flat);
    meshes.forEach((mesh, i) => {
      if (flat && mesh.floor) return;
      const q = (k) => from[12 * i + k] * (1 - s) + now[12 * i + k] * s;
      gl.uniformMatrix4fv(at.pose, false,
        [q(0), q(3), q(6), 0, q(1), q(4), q(7), 0, q(2), q(5), q(8), 0, q(9), q(10), q(11), 1]);
      gl.uniform4fv(at.colour, mesh.colour); gl.uniform1i(at.floor_, mesh.floor ? 1 : 0);
      gl.bindBuffer(gl.ARRAY_BUFFER, mesh.buffer);
      gl.enableVertexAttribArray(P); gl.vertexAttribPointer(P, 3, gl.FLOAT, false, 24, 0);
      if (N >= 0) { gl.enableVertexAttribArray(N); gl.vertexAttribPointer(N, 3, gl.FLOAT, false, 24, 12); }
      gl.drawArrays(gl.TRIANGLES, 0, mesh.count);
    });
  }
}
requestAnimationFrame(draw);
$("view").addEventListener("pointermove", (e) => {
  if (!e.buttons) return;
  view.azimuth -= e.movementX * 0.008;
  view.elevation = Math.max(0.02, Math.min(1.5, view.elevation + e.movementY * 0.008));
});
$("view").addEventListener("wheel", (e) => {
  view.distance = Math.max(0.5, Math.min(4, view.distance * Math.exp(e.deltaY * 0.001))); e.preventDefault();
}, { passive: false });

// Talking to the server.

const send = (message) => socket && socket.readyState === 1 && socket.send(JSON.stringify(message));
const alive = () => send({ type: "alive", t: performance.now(), visible: !document.hidden });
function strip(who, text) { $("strip").dataset.who = who; $("who").textContent = text || who; }

function connect() {
  socket = new WebSocket(`ws://${location.host}/socket`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => { strip("POLICY"); alive(); };
  socket.onclose = () => { strip("GONE", "disconnected: reconnecting"); before = now = null; setTimeout(connect, 500); };
  socket.onmessage = (event) => {
    if (event.data instanceof ArrayBuffer) {
      const time = performance.now();
      if (now) period = Math.max(20, Math.min(200, 0.8 * period + 0.2 * (time - arrived)));
      before = now; now = new Float32Array(event.data); arrived = time;
      return;
    }
    const message = JSON.parse(event.data);
    if (message.scene) { build(message.scene); $("help").textContent = message.help; document.title = message.title; }
    else if ("pong" in message) $("latency").textContent = `${(performance.now() - message.pong).toFixed(0)} ms`;
    else {
      strip(message.who); $("clock").textContent = `${message.clock.toFixed(1)} s`; role = message.role;
      $("role").textContent = { control: "give control away", free: "take control", watch: "watching" }[role];
    }
  };
}
connect();
setInterval(alive, 100);
document.addEventListener("visibilitychange", alive);
$("role").addEventListener("click", () => send({ type: "control", take: role !== "control" }));
addEventListener("blur", () => send({ type: "blur" }));
for (const [name, down] of [["keydown", true], ["keyup", false]])
  addEventListener(name, (event) => {
    if (!KEYS.has(event.code) || event.repeat) return;
    event.preventDefault();
    send({ type: "key", key: event.code, down });
  });
for (const button of document.querySelectorAll("[data-key]")) {
  const press = (down) => (event) => { event.preventDefault(); send({ type: "key", key: button.dataset.key, down }); };
  button.addEventListener("pointerdown", press(true));
  for (const name of ["pointerup", "pointerleave", "pointercancel"]) button.addEventListener(name, press(false));
  button.tabIndex = -1;
}
