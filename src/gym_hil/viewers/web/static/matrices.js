// 4 x 4 matrices in column-major order, as in WebGL.

export function fromPose([x, y, z], [w, i, j, k]) {
  return [
    1 - 2 * (j * j + k * k), 2 * (i * j + w * k), 2 * (i * k - w * j), 0,
    2 * (i * j - w * k), 1 - 2 * (i * i + k * k), 2 * (j * k + w * i), 0,
    2 * (i * k + w * j), 2 * (j * k - w * i), 1 - 2 * (i * i + j * j), 0,
    x, y, z, 1,
  ];
}

export function times(a, b) {
  const out = new Array(16).fill(0);
  for (let column = 0; column < 4; column++)
    for (let row = 0; row < 4; row++)
      for (let k = 0; k < 4; k++) out[4 * column + row] += a[4 * k + row] * b[4 * column + k];
  return out;
}

// The inverse of a pose.
export function inverse(m) {
  const t = [m[12], m[13], m[14]];
  const dot = (c) => -(m[c] * t[0] + m[c + 1] * t[1] + m[c + 2] * t[2]);
  return [m[0], m[4], m[8], 0, m[1], m[5], m[9], 0, m[2], m[6], m[10], 0, dot(0), dot(4), dot(8), 1];
}

// `fovy` is the angle of view from top to bottom (rad); a camera looks along its -z with +y up.
export function perspective(fovy, aspect, near = 0.01, far = 10) {
  const f = 1 / Math.tan(fovy / 2);
  return [f / aspect, 0, 0, 0, 0, f, 0, 0, 0, 0, (far + near) / (near - far), -1, 0, 0, (2 * far * near) / (near - far), 0];
}

// The pose of a camera at `distance` from `centre`, angles in rad.
export function orbit({ azimuth: a, elevation: e, distance: d, centre: c }) {
  const back = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
  const right = [-Math.sin(a), Math.cos(a), 0];
  const up = [-Math.sin(e) * Math.cos(a), -Math.sin(e) * Math.sin(a), Math.cos(e)];
  return [...right, 0, ...up, 0, ...back, 0, ...c.map((v, i) => v + d * back[i]), 1];
}
