import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ask } from '../../../core/cli/control.ts'
import type { Outcome } from '../../../core/cli/reloader.ts'
import { whenOver } from '../../support/when-over.ts'
import { installRawhttp, workspace } from '../config/workspace.ts'
import { launch, type Running, ready } from './run-cli.ts'

/** A server in a folder of its own whose config the test changes. */
export interface ReloadServer {
  readonly cwd: string
  readonly running: Running
  readonly url: string
  /** Its folder for control sockets. */
  readonly runtime: string
  /** Changes files of the folder, each as editors do: by putting another one in its place. */
  write(files: Readonly<Record<string, string>>): void
  /** Asks for a reload by the control socket. */
  reload(): Promise<Outcome>
  /** What a path answers. */
  text(path?: string): Promise<string>
}

/** A config module that answers with the text of an expression, or as `handle(request)` says. */
export function configOf({ imports = '', answer = "''", more = '', top = '' }): string {
  return `
import { defineConfig, definePlugin, Handle, HttpResponse } from 'rawhttp'
${imports}
const answering = definePlugin({
  name: 'answering',
  ${more}
  site(site) {
    site.hooks.handle.tapPromise({ name: 'answer', stage: Handle.Route }, async request => {
      const answer = ${answer}
      return answer instanceof HttpResponse ? answer : HttpResponse.text(String(answer))
    })
  },
})
${top}
export default defineConfig({ listen: [{ port: 0 }], plugins: [answering] })
`
}

/** A folder for sockets: their paths may have only about a hundred characters. */
export function runtimeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'run-'))
  whenOver(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts a server with these files, `rawhttp` installed beside them. */
export async function reloadServer(
  files: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ReloadServer> {
  const cwd = workspace({ 'package.json': '{"type":"module"}', ...files })
  installRawhttp(cwd)
  const runtime = runtimeFolder()
  const running = launch(['start', ...args], { cwd, env: { XDG_RUNTIME_DIR: runtime, ...env } })
  const url = await ready(running)
  const socket = join(runtime, `rawhttp-${new URL(url).port}.sock`)
  // The socket comes after the ready line, and listens a moment later.
  const reload = async (): Promise<Outcome> => {
    for (;;) {
      try {
        return await ask(socket, 'reload', 20_000)
      } catch (error) {
        if (!/is one running|is gone/.test(String(error))) throw error
      }
    }
  }
  return {
    cwd,
    running,
    url,
    runtime,
    reload,
    write(changed) {
      for (const [name, text] of Object.entries(changed)) {
        const file = join(cwd, name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(`${file}~`, text)
        renameSync(`${file}~`, file)
      }
    },
    text: async (path = '/') => (await fetch(url + path)).text(),
  }
}
