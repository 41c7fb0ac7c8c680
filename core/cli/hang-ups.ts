import { closeSync, openSync } from 'node:fs'

/** SIGHUP, which asks for a reload. */
export interface HangUps {
  /** What a hang-up does from now on. One that has come before happens at once. */
  handle(reload: () => void): void
}

/**
 * Catches SIGHUP from the first moment on: one that comes while the server starts must not end it, and is made up for.
 * Where it says that the terminal is gone, it is the end, as it is for any other program. SIGUSR2, "open your logs
 * anew", is caught too: plugins that have log files listen to it themselves, and where none has it does nothing.
 */
export function catchHangUps(): HangUps {
  process.on('SIGUSR2', () => undefined)
  let reload: (() => void) | null = null
  let isWanted = false
  const hasTerminal = canOpenTerminal()
  // Windows sends it when the console is closed, and ends the process soon after.
  if (process.platform === 'win32') return { handle: () => undefined }
  process.on('SIGHUP', () => {
    if (hasTerminal && !canOpenTerminal()) process.kill(process.pid, 'SIGTERM')
    else if (reload === null) isWanted = true
    else reload()
  })
  return {
    handle(run) {
      reload = run
      if (isWanted) run()
    },
  }
}

/** Whether the process has a terminal that controls it, and that is still there. */
function canOpenTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
