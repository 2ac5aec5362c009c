// `node healthy.mjs URL`: ends with 0 when it answers well. A file, for not every engine keeps the words of a
// check apart.
const answer = await fetch(process.argv[2], { signal: AbortSignal.timeout(4_000) }).catch(() => null);
process.exitCode = answer?.ok ? 0 : 1;
