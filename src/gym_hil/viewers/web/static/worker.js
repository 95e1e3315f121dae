import { Drawing } from "./drawing.js";

let drawing = null;
self.onmessage = ({ data }) => {
  if (data.canvas) drawing = new Drawing(data.canvas, (frames) => self.postMessage(frames));
  else drawing.receive(data);
};
