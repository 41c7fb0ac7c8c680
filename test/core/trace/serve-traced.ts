import {
  type Config,
  definePlugin,
  type InjectOptions,
  type Plugins,
  type RequestTrace,
  type TapStep,
} from 'rawhttp'
import { type InMemory, serve } from '../../support/in-memory.ts'

interface Traced extends InMemory {
  /** All traces so far. */
  readonly traces: readonly RequestTrace[]
  /** The trace of a request. */
  trace(options?: InjectOptions | string): Promise<RequestTrace>
}

/** Serves a config, or only its plugins, and traces every request. The plugins that watch are left out of the steps. */
export async function serveTraced(config: Config | Plugins): Promise<Traced> {
  const written: Config = Array.isArray(config) ? { plugins: config } : (config as Config)
  const traces: RequestTrace[] = []
  const tracer = definePlugin({
    name: 'tracer',
    server: server => void server.trace({ wants: () => true, finished: each => void traces.push(each) }),
  })
  const served = await serve({ ...written, plugins: [tracer(), ...(written.plugins ?? [])] })
  const trace = async (options?: InjectOptions | string) => {
    await served.ask(options).catch(() => undefined)
    const last = traces.at(-1)!
    return { ...last, steps: last.steps.filter(step => step.by === 'kernel' || step.plugin !== 'test-watch') }
  }
  return { ...served, traces, trace }
}

/** The steps in short: `handle guard: passed`, `kernel: nobody answered 404`. */
export const shortly = ({ steps }: RequestTrace): string[] =>
  steps.map(step => {
    if (step.by === 'kernel') return `kernel: ${step.note}${step.status === null ? '' : ` ${step.status}`}`
    return `${step.hook} ${step.tap}: ${resultOf(step)}`
  })

function resultOf({ result, status, note }: TapStep): string {
  return [result, status, note].filter(part => part !== null).join(' ')
}

/** Who set each field, in short: `etag: static`, `date: kernel RFC 9110 6.6.1`. */
export const sources = ({ answer }: RequestTrace): string[] =>
  answer!.fields.map(({ name, source: { by, plugin, rule } }) => {
    const kernel = by === 'kernel' ? `kernel ${rule!.section}` : ''
    return `${name}: ${[kernel, plugin].filter(Boolean).join(' after ')}`
  })
