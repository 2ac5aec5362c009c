// What a person sees while a part is fetched: on stderr, and only when something is done.

export const say = (text) => process.stderr.write(`soakgate: ${text}\n`);

/** An error that names the next thing to do. */
export const failure = (what, next) => Object.assign(new Error(what), { next });

/**
 * Says what begins, that it is still going on, and what it came to; `work` may return a closing remark such
 * as a size.
 */
export async function announce(what, work) {
  const begun = Date.now();
  const passed = () => span(Date.now() - begun);
  say(`${what} …`);
  const ticks = setInterval(() => say(`… still at it after ${passed()}`), 30_000);
  try {
    const remark = await work();
    say(`… done in ${passed()}${remark ? `, ${remark}` : ''}`);
  } finally {
    clearInterval(ticks);
  }
}

function span(ms) {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
