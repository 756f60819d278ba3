// The server, as functions. Whatever goes wrong is an Error whose message is a sentence for people.

/** @import {Choices, FileLink, Look, Melody, Start, Take} from "./types.js" */

const BROKEN = "The studio stopped in the middle; try again.";

/** @param {Response} response @returns {Promise<Response>} */
async function checked(response) {
  if (response.ok) return response;
  let detail = "";
  try {
    detail = (await response.json()).detail;
  } catch {
    // An answer that is not ours has no sentence in it.
  }
  throw new Error(detail || `The studio answered ${response.status}; try again, or start it anew.`);
}

/** @param {string} path @param {RequestInit} [init] @returns {Promise<Response>} */
async function ask(path, init) {
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Error("The studio does not answer; see whether `melodygru studio` still runs, and start it again.");
  }
  return checked(response);
}

/** @param {string} path @param {unknown} values @param {AbortSignal} [signal] @returns {Promise<Response>} */
function post(path, values, signal) {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method: "POST", headers, body: JSON.stringify(values), signal: signal ?? null });
}

/** @returns {Promise<Choices>} */
export async function choices() {
  return (await ask("api/choices")).json();
}

/**
 * Write melodies, and tell of every event as it is drawn.
 * @param {{model: string | null, options: Record<string, unknown>, seed: number | null, takes: number,
 *          primer?: Melody | null}} order
 * @param {{start: (start: Start) => void, notes: (events: [number, number, number, number][]) => void,
 *          take: (take: Take) => void}} hear
 * @param {AbortSignal} signal
 */
export async function generate(order, hear, signal) {
  const response = await post("api/generate", order, signal);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) throw new Error("This browser cannot read a stream; use a newer one.");
  let text = "";
  let finished = false;
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw signal.aborted ? error : new Error(BROKEN);
    });
    if (done) break;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const name = /^event: (.*)$/m.exec(part)?.[1];
      const data = JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? "{}");
      if (name === "error") throw new Error(data.detail);
      if (name === "start") hear.start(data);
      if (name === "notes") hear.notes(data);
      if (name === "take") hear.take(data);
      if (name === "done") finished = true;
    }
  }
  if (!finished) throw new Error(BROKEN);
}

/** @param {Record<string, unknown>} order @returns {Promise<Take>} */
export async function infill(order) {
  return (await post("api/infill", order)).json();
}

/** @param {Record<string, unknown>} order @returns {Promise<Take>} */
export async function vary(order) {
  return (await post("api/vary", order)).json();
}

/** @param {string | null} model @param {Melody} melody @param {AbortSignal} signal @returns {Promise<Look>} */
export async function look(model, melody, signal) {
  return (await post("api/look", { model, melody }, signal)).json();
}

/**
 * @param {File} file @param {import("./readings.js").Reading} [reading] how it is read, whatever it says
 * @returns {Promise<{melodies: Melody[], remarks: string[], style: string | null, readings: import("./readings.js").Reading[]}>}
 */
export async function open(file, reading) {
  const headers = { "Content-Type": "application/octet-stream" };
  const asked = new URLSearchParams({ name: file.name });
  if (reading) {
    asked.set("meter", reading.meter);
    asked.set("pickup", String(reading.pickup));
  }
  return (await ask(`api/open?${asked}`, { method: "POST", headers, body: file })).json();
}

/** @param {Record<string, unknown>} order @returns {Promise<FileLink>} */
export async function makeFile(order) {
  return (await post("api/files", order)).json();
}
