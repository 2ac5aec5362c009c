// Source text in which a text that stands on several lines is one again.

/** `'one ' +` and `'two'` as `'one two'`; the number of lines stays, so that an error is found near by. */
export const wholeTexts = (code: string): string => {
  let moved = 0;
  const whole = code.replaceAll(/(['"`]) \+\n\s*\1/gu, () => {
    moved += 1;
    return '';
  });
  return whole + '\n'.repeat(moved);
};
