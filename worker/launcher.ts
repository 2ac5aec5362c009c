// A worker ends with the command that started it: whoever kills that with -9 must not leave a second worker.
const EVERY_MS = 1_000;

/** Looks every second until `gone` has been called; a worker that was not started by the command never is. */
export function whenLauncherIsGone(gone: () => void): void {
  const launcher = Number(process.env['SOAKGATE_LAUNCHER'] ?? 0);
  if (launcher === 0 || launcher !== process.ppid) return;
  const timer = setInterval(() => {
    if (process.ppid === launcher) return;
    clearInterval(timer);
    gone();
  }, EVERY_MS);
  timer.unref();
}
