/** A copy without the properties that are undefined, so that a spread of it hides nothing. */
export function withoutUndefined<T extends object>(
  value: T,
): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const kept = Object.entries(value).filter(([, property]) => property !== undefined)
  return Object.fromEntries(kept) as { [Name in keyof T]?: Exclude<T[Name], undefined> }
}
