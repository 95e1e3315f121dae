// Triangles with normals (x y z, normal x y z; m) of shapes with MuJoCo's definition of sizes.

export function triangles(geom) {
  const [r, h] = geom.size;
  switch (geom.type) {
    case "box": return box(geom.size);
    case "plane": return box([geom.size[0] || 2, geom.size[1] || 2, 0.0005]);
    case "sphere": return lathe([...cap(r, 0, -1), ...cap(r, 0, 1)]);
    case "capsule": return lathe([...cap(r, -h, -1), ...cap(r, h, 1)]);
    case "cylinder":
      return lathe([[0, -h, 0, -1], [r, -h, 0, -1], [r, -h, 1, 0], [r, h, 1, 0], [r, h, 0, 1], [0, h, 0, 1]]);
    case "ellipsoid": return ellipsoid(geom.size);
    case "mesh": return mesh(geom.triangles);
  }
  return [];
}

function lathe(profile, sides = 20) {
  // profile: [radius, z, normal radius, normal z] from bottom to top, turned about z.
  const out = [];
  const point = (p, i) => {
    const a = (2 * Math.PI * i) / sides, c = Math.cos(a), s = Math.sin(a);
    return [p[0] * c, p[0] * s, p[1], p[2] * c, p[2] * s, p[3]];
  };
  for (let k = 0; k + 1 < profile.length; k++)
    for (let i = 0; i < sides; i++) {
      const a = point(profile[k], i), b = point(profile[k], i + 1);
      const c = point(profile[k + 1], i + 1), d = point(profile[k + 1], i);
      out.push(...a, ...b, ...c, ...a, ...c, ...d);
    }
  return out;
}

function cap(radius, z, sign, steps = 5) {
  const arc = [];
  for (let k = 0; k <= steps; k++) {
    const a = (Math.PI / 2) * (k / steps), c = Math.cos(a), s = Math.sin(a);
    arc.push([radius * c, z + sign * radius * s, c, sign * s]);
  }
  return sign > 0 ? arc : arc.reverse();
}

function box(half) {
  const out = [];
  for (let axis = 0; axis < 3; axis++)
    for (const sign of [-1, 1]) {
      const u = (axis + 1) % 3, v = (axis + 2) % 3;
      const corner = (a, b) => {
        const p = [0, 0, 0], n = [0, 0, 0];
        p[axis] = sign * half[axis];
        p[u] = a * half[u];
        p[v] = b * half[v];
        n[axis] = sign;
        return [...p, ...n];
      };
      out.push(...corner(-1, -1), ...corner(1, -1), ...corner(1, 1),
               ...corner(-1, -1), ...corner(1, 1), ...corner(-1, 1));
    }
  return out;
}

function ellipsoid(size) {
  const out = lathe([...cap(1, 0, -1), ...cap(1, 0, 1)]);
  for (let i = 0; i < out.length; i += 6)
    for (let k = 0; k < 3; k++) {
      out[i + k] *= size[k];
      out[i + 3 + k] /= size[k];
    }
  return out;
}

function mesh(encoded) {
  const bytes = Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0));
  const corners = new Float32Array(bytes.buffer), out = [];
  for (let i = 0; i < corners.length; i += 9) {
    const [a, b, c] = [0, 3, 6].map((k) => [...corners.subarray(i + k, i + k + 3)]);
    const u = b.map((v, k) => v - a[k]), w = c.map((v, k) => v - a[k]);
    const n = [u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2], u[0] * w[1] - u[1] * w[0]];
    for (const corner of [a, b, c]) out.push(...corner, ...n);
  }
  return out;
}
