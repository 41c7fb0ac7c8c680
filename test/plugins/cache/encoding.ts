import { promisify } from 'node:util'
import { brotliCompress, gzip, zstdCompress } from 'node:zlib'
import { type Plugins, Transform } from 'rawhttp'
import { onSite } from '../../support/in-memory.ts'

const encoders = {
  zstd: promisify(zstdCompress),
  br: promisify(brotliCompress),
  gzip: promisify(gzip),
} as const

/** A plugin that encodes what it may, as compression does, and counts. */
export function encoding(): { readonly plugin: Plugins[number]; readonly made: string[] } {
  const made: string[] = []
  const plugin = onSite('encoding', site =>
    site.hooks.transform.tap({ name: 'encoding', stage: Transform.Encode }, (response, request) => {
      if (response.status !== 200 || request.headers.has('range')) return
      response.vary('Accept-Encoding')
      const wishes = (request.headers.get('accept-encoding') ?? '').toLowerCase().split(',')
      const accepts = (name: string) =>
        wishes.some(wish => wish.includes(name) && !/;\s*q\s*=\s*0(?:\.0*)?\s*$/.test(wish))
      const coding = (['zstd', 'br', 'gzip'] as const).find(accepts)
      if (coding === undefined) return
      const plain = response.fork()
      response.encode(coding, async purpose => {
        made.push(`${coding} to ${purpose}`)
        return encoders[coding](await plain.bytes())
      })
    }),
  )
  return { plugin, made }
}

/** What was made for clients that waited for it. What is made better afterwards comes when it comes. */
export const sent = (made: readonly string[]): string[] => made.filter(each => each.endsWith('to send'))
