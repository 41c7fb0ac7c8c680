import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type LaunchOptions, type Page } from 'playwright-core'
import { needTool } from './tools.ts'

/** Keeps Chromium from looking for hosts that are not there. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A Chromium with a profile of its own, both gone with the block. */
export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext
}

/** Starts the system's Chromium without a window. Its disk cache works, as a person's does. */
export async function startChromium(args: LaunchOptions['args'] = []): Promise<Browser> {
  const executablePath = needTool('chromium', 'chromium')
  const profile = await mkdtemp(join(tmpdir(), 'rawhttp-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [...quiet, ...args],
    viewport: { width: 1280, height: 900 },
    colorScheme: 'light',
  })
  const end = async () => {
    await context.close()
    await rm(profile, { recursive: true, force: true })
  }
  return { context, [Symbol.asyncDispose]: end }
}

/** Opens a page, and notes what Chromium complains of there: errors, warnings, and what its scripts throw. */
export async function openPage({ context }: Browser): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', message => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(String(error)))
  return { page, complaints }
}
