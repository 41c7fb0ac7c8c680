let isGuarded = false

/**
 * Writes to stderr. Where nobody reads it any more (a closed pipe, a full disk) there is nobody to tell: the server
 * goes on.
 */
export function writeError(text: string): void {
  if (!isGuarded) process.stderr.on('error', () => undefined)
  isGuarded = true
  process.stderr.write(text)
}
