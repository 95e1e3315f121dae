// The socket: it is reopened whenever it closes, and sends a sign of life ten times per second.
const ALIVE_MS = 100;
const RETRY_MS = 500;

export function connect(handlers) {
  let socket = null;
  const send = (message) => {
    if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  };
  const alive = () => send({ type: "alive", t: performance.now(), visible: !document.hidden });

  function open() {
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/socket`);
    socket.binaryType = "arraybuffer";
    socket.onopen = alive;
    socket.onclose = (event) => {
      handlers.gone(event.reason || "disconnected: reconnecting");
      setTimeout(open, RETRY_MS);
    };
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) return handlers.poses(data);
      const message = JSON.parse(data);
      if ("pong" in message) handlers.latency(performance.now() - message.pong);
      else handlers.message(message);
    };
  }

  open();
  setInterval(alive, ALIVE_MS);
  document.addEventListener("visibilitychange", alive);
  addEventListener("pagehide", () => send({ type: "alive", t: 0, visible: false }));
  addEventListener("blur", () => send({ type: "blur" }));
  return send;
}
