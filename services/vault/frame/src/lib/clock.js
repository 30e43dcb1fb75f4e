// The time as the server has it: a person's own clock may be wrong by minutes, and a good code must not look expired.

const renderedAt = Number(document.querySelector("meta[name=wv-now]")?.content) || Date.now();
// Counted from when the page began to arrive, so that a slow line never makes it later than it is.
const arrivedAt = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;

/** Milliseconds since 1970, by the server's clock. */
export const serverNow = () => renderedAt + performance.now() - arrivedAt;
