/** A sentence without the places in tests that it names: lines move, and vitest moves them again. */
export const withoutPlaces = (sentence: string): string =>
  sentence.replaceAll(/ \([^()\s]+\.test\.ts:\d+\)/g, '')
