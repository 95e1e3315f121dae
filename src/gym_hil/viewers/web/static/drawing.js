// Draws the scene with WebGL, and the images of the robot's cameras in its corner.
import { fromPose, inverse, orbit, perspective, times } from "./matrices.js";
import { triangles } from "./meshes.js";
import { Playback } from "./playback.js";

const FLOATS = 9; // per vertex: position, normal, colour
const SLOW_MS = 50; // a frame that takes longer is drawn with fewer pixels
const REST_MS = 300; // after this time without motion, the scene is drawn once at full resolution
const VERTEX = `attribute vec3 p, n, c; uniform mat4 pose, camera; uniform bool shadow; varying vec3 w, wn, wc;
void main() { vec4 q = pose * vec4(p, 1.0); wn = mat3(pose) * n; wc = c;
  if (shadow) q.xyz = vec3(q.xy - vec2(-0.35, 0.45) * -q.z * 0.6, 0.0015);
  w = q.xyz; gl_Position = camera * q; }`;
const FRAGMENT = `precision mediump float; varying vec3 w, wn, wc; uniform bool shadow, ground;
void main() { vec3 c = wc;
  if (shadow) { gl_FragColor = vec4(0.62, 0.59, 0.54, 1.0); return; }
  if (ground) c = mod(floor(w.x * 2.0) + floor(w.y * 2.0), 2.0) < 0.5 ? vec3(0.62, 0.65, 0.69) : vec3(0.57, 0.60, 0.64);
  float light = 0.5 + 0.5 * max(0.0, dot(normalize(wn), normalize(vec3(0.35, -0.45, 1.0))));
  gl_FragColor = vec4(c * light, 1.0); }`;

export class Drawing {
  #canvas; #gl; #at; #shown;
  #parts = [];
  #cameras = [];
  #playback = new Playback();
  #eye = { azimuth: -0.82, elevation: 0.42, distance: 1.35, centre: [0.4, 0, 0.22] };
  #size = { width: 1, height: 1, ratio: 1 };
  #sharpness = 1;
  #least = 0; // ms between frames
  #dirty = true;
  #crisp = false;
  #drawnAt = 0;
  #frames = 0;

  constructor(canvas, shown) {
    this.#canvas = canvas;
    this.#shown = shown;
    const software = drawnBySoftware();
    this.#least = software ? 30 : 0;
    this.#gl = canvas.getContext("webgl", { antialias: !software });
    if (!this.#gl) throw new Error("this browser has no WebGL");
    this.#at = compile(this.#gl);
    const tick = () => {
      (self.requestAnimationFrame || ((f) => setTimeout(f, 16)))(tick);
      this.#tick(performance.now());
    };
    tick();
  }

  receive({ scene, poses, size, turn, zoom }) {
    if (poses) return this.#playback.add(poses, performance.now());
    this.#dirty = true;
    if (scene) this.#build(scene);
    if (size) this.#size = size;
    if (turn) {
      this.#eye.azimuth -= turn[0] * 0.008;
      this.#eye.elevation = Math.max(0.02, Math.min(1.5, this.#eye.elevation + turn[1] * 0.008));
    }
    if (zoom) this.#eye.distance = Math.max(0.3, Math.min(4, this.#eye.distance * zoom));
  }

  #build(scene) {
    const gl = this.#gl;
    for (const { buffer } of this.#parts) gl.deleteBuffer(buffer);
    const parts = new Map(); // the ground is separate, and all other shapes of a body are one
    for (const geom of scene.geoms) {
      const ground = geom.type === "plane", key = `${geom.body} ${ground}`;
      if (!parts.has(key)) parts.set(key, { body: geom.body, ground, data: [] });
      const m = fromPose(geom.pos, geom.quat), shape = triangles(geom), out = parts.get(key).data;
      for (let i = 0; i < shape.length; i += 6) {
        const [x, y, z, a, b, c] = shape.slice(i, i + 6);
        for (let k = 0; k < 3; k++) out.push(m[k] * x + m[4 + k] * y + m[8 + k] * z + m[12 + k]);
        for (let k = 0; k < 3; k++) out.push(m[k] * a + m[4 + k] * b + m[8 + k] * c);
        out.push(...geom.rgba.slice(0, 3));
      }
    }
    this.#parts = [...parts.values()].map(({ body, ground, data }) => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(data), gl.STATIC_DRAW);
      return { body, ground, buffer, count: data.length / FLOATS };
    });
    this.#cameras = scene.cameras;
    this.#playback.reset(scene.bodies);
  }

  #tick(now) {
    const gap = now - this.#drawnAt;
    if (gap < this.#least) return;
    const moving = this.#dirty || this.#playback.moving(now);
    if (!moving && (this.#crisp || gap < REST_MS)) return;
    if (moving && gap < 500 && !this.#crisp) this.#sharpen(gap);
    this.#crisp = !moving;
    this.#drawnAt = now;
    this.#dirty = false;
    this.#draw(now, moving ? this.#sharpness : 1);
    this.#shown(++this.#frames);
  }

  // Reduce the resolution if frames take long, and increase it again if there is time.
  #sharpen(gap) {
    const change = gap > SLOW_MS ? 0.95 : gap < 0.7 * SLOW_MS ? 1.01 : 1;
    this.#sharpness = Math.max(0.4, Math.min(1, this.#sharpness * change));
  }

  #draw(now, sharpness) {
    const gl = this.#gl, canvas = this.#canvas, { width, height, ratio } = this.#size;
    const scale = ratio * (Math.round(sharpness * 10) / 10);
    const wide = Math.max(1, Math.round(width * scale)), high = Math.max(1, Math.round(height * scale));
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    gl.disable(gl.SCISSOR_TEST);
    gl.viewport(0, 0, wide, high);
    clear(gl, 0.8, 0.86, 0.92);
    const poses = this.#playback.poses(now);
    if (!poses) return;
    const of = (body) => fromPose(poses.subarray(7 * body, 7 * body + 3), poses.subarray(7 * body + 3, 7 * body + 7));
    const matrices = this.#parts.map(({ body }) => of(body));
    this.#paint(matrices, times(perspective(0.8, wide / high), inverse(orbit(this.#eye))));
    // The robot's cameras, in the upper right corner.
    const side = Math.round(Math.min(wide, high) * 0.25), gap = Math.round(8 * scale);
    gl.enable(gl.SCISSOR_TEST);
    this.#cameras.forEach((camera, index) => {
      const x = wide - side - gap, y = high - (index + 1) * (side + gap);
      const edge = Math.max(1, Math.round(2 * scale));
      gl.scissor(x - edge, y - edge, side + 2 * edge, side + 2 * edge);
      clear(gl, 0.11, 0.12, 0.14);
      gl.scissor(x, y, side, side);
      gl.viewport(x, y, side, side);
      clear(gl, 0.8, 0.86, 0.92);
      const eye = times(of(camera.body), fromPose(camera.pos, camera.quat));
      this.#paint(matrices, times(perspective((camera.fovy * Math.PI) / 180, 1), inverse(eye)));
    });
  }

  #paint(matrices, camera) {
    const gl = this.#gl, at = this.#at;
    gl.uniformMatrix4fv(at.camera, false, camera);
    for (const shadow of [0, 1]) {
      gl.uniform1i(at.shadow, shadow);
      this.#parts.forEach((part, index) => {
        if (shadow && part.body === 0) return; // the world, which is flat or below the table
        gl.uniformMatrix4fv(at.pose, false, matrices[index]);
        gl.uniform1i(at.ground, part.ground ? 1 : 0);
        gl.bindBuffer(gl.ARRAY_BUFFER, part.buffer);
        [at.p, at.n, at.c].forEach((place, k) => gl.vertexAttribPointer(place, 3, gl.FLOAT, false, 4 * FLOATS, 12 * k));
        gl.drawArrays(gl.TRIANGLES, 0, part.count);
      });
    }
  }
}

function clear(gl, r, g, b) {
  gl.clearColor(r, g, b, 1);
  gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
}

function compile(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.enable(gl.DEPTH_TEST);
  const at = {};
  for (const name of ["pose", "camera", "shadow", "ground"]) at[name] = gl.getUniformLocation(program, name);
  for (const name of ["p", "n", "c"]) gl.enableVertexAttribArray((at[name] = gl.getAttribLocation(program, name)));
  return at;
}

// Without a GPU, limit the rate to 30 frames per second and switch off antialiasing.
function drawnBySoftware() {
  const probe = typeof OffscreenCanvas === "undefined" ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
  const gl = probe.getContext("webgl");
  const names = gl && gl.getExtension("WEBGL_debug_renderer_info");
  return !names || /swiftshader|llvmpipe|software/i.test(gl.getParameter(names.UNMASKED_RENDERER_WEBGL));
}
