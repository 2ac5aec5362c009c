// How long what people sign is valid, unless they say otherwise with --expires.

const DAY_MS = 86_400_000;

/** An approval or attestation: longer than gates wait. In milliseconds. */
export const APPROVAL_LIFE_MS = 30 * DAY_MS;
/** A signed start. In milliseconds. */
export const START_LIFE_MS = DAY_MS;
/** Every other message: it is meant for now. In milliseconds. */
export const MESSAGE_LIFE_MS = 3_600_000;
