// What is kept in the browser: each tab has its own, and a new one begins with what the last left behind.

/** @param {Storage} store @param {string} name @returns {unknown} */
function read(store, name) {
  try {
    return JSON.parse(store.getItem(name) ?? "null");
  } catch {
    return null;
  }
}

/** What this tab keeps under a name, else what another did last. @param {string} name @returns {unknown} */
export function kept(name) {
  return own(name) ?? shared(name);
}

/** @param {string} name @returns {unknown} */
export function own(name) {
  try {
    return read(sessionStorage, name);
  } catch {
    return null;
  }
}

/** @param {string} name @returns {unknown} */
export function shared(name) {
  try {
    return read(localStorage, name);
  } catch {
    return null;
  }
}

/**
 * Keep something for this tab, and for tabs to come. Without storage it lasts as long as the page.
 * @param {string} name @param {unknown} value @param {unknown} [forOthers] where that is not the same
 * @returns {boolean} whether there was room for it
 */
export function keep(name, value, forOthers = value) {
  try {
    sessionStorage.setItem(name, JSON.stringify(value));
    localStorage.setItem(name, JSON.stringify(forOthers));
    return true;
  } catch {
    return false;
  }
}
