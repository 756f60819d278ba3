// Python in a worker, which has the model: what the page's main.js asks of it.

/** @import {ChordSpan, Melody} from "../../page/types.js" */
/** @typedef {{seed: number, file: string, melody: Melody, chords: ChordSpan[]}} Written */

/** Files that lie in the page, in base64, by the id of their element. */
const FILES = ["python.wasm", "library.zip", "numpy.whl", "code.zip", "product.wasm", "model"];

/** What lies in an element of the page; the element goes. @param {string} id @returns {Promise<Blob>} */
async function unpacked(id) {
  const element = document.getElementById(id);
  if (!element?.textContent) throw new Error("This page is cut off; get it again.");
  const { body } = await fetch(`data:application/octet-stream;base64,${element.textContent}`);
  const packed = element.dataset.packed !== undefined;
  element.remove();
  if (!body) throw new Error("This browser cannot unpack the page.");
  return new Response(packed ? body.pipeThrough(new DecompressionStream("gzip")) : body).blob();
}

export class Writer {
  #calls = 0;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void, progress?: (share: number) => void}>} */
  #waiting = new Map();
  /** @type {Worker | null} */
  #worker = null;

  /** Start Python and load the model. @param {string} name the model's */
  async start(name) {
    if (typeof DecompressionStream === "undefined" || typeof WebAssembly === "undefined")
      throw new Error("This browser is too old for Python in a page; use one of 2023 or later.");
    const script = await unpacked("worker.js");
    const worker = (this.#worker = new Worker(URL.createObjectURL(script.slice(0, script.size, "text/javascript"))));
    worker.addEventListener("message", ({ data }) => this.#hear(data));
    worker.addEventListener("error", ({ message }) => this.#fail(message));
    /** @type {Record<string, ArrayBuffer>} */
    const files = {};
    for (const id of FILES) files[id] = await (await unpacked(id)).arrayBuffer();
    await this.#ask("start", { files, name }, Object.values(files));
  }

  /**
   * A melody. Rejects with what stands in its way, in the program's words.
   * @param {Record<string, unknown>} asked seed and options @param {(share: number) => void} progress told of shares in [0, 1]
   * @returns {Promise<Written>}
   */
  write(asked, progress) {
    return this.#ask("write", { asked: JSON.stringify(asked) }, [], progress);
  }

  /** The melody that was written last, as a file. @returns {Promise<Uint8Array<ArrayBuffer>>} */
  midi() {
    return this.#ask("midi", {});
  }

  /** @param {string} kind @param {Record<string, unknown>} message @param {Transferable[]} [moved] @param {(share: number) => void} [progress] @returns {Promise<any>} */
  #ask(kind, message, moved = [], progress) {
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject, progress });
      this.#worker?.postMessage({ call, kind, ...message }, moved);
    });
  }

  /** @param {{call: number, share?: number, answer?: unknown, problem?: string}} told */
  #hear({ call, share, answer, problem }) {
    const waiting = this.#waiting.get(call);
    if (share !== undefined) return waiting?.progress?.(share);
    this.#waiting.delete(call);
    if (problem === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(problem));
  }

  /** Nothing more will come. @param {string} message */
  #fail(message) {
    for (const { reject } of this.#waiting.values()) reject(new Error(`Python has stopped (${message}); reload the page.`));
    this.#waiting.clear();
  }
}
