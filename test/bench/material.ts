import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Puts the files that the benchmark asks for into a folder. They are the same in each run. */
export function writeMaterial(folder: string): void {
  const files = {
    '1kb.html': page(1_024),
    '50kb.js': script(50_000),
    '10mb.bin': Buffer.alloc(10_000_000, 'x'),
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    writeFileSync(path, content)
    // Left alone for so long that their tags are strong ones.
    utimesSync(path, new Date('2020-01-01'), new Date('2020-01-01'))
  }
}

/** About a kilobyte of JSON, as a shop would get it. */
export const order = JSON.stringify({
  customer: 'c-10482',
  items: Array.from({ length: 12 }, (_, place) => ({
    article: `article-${place}`,
    quantity: place + 1,
    price: 9.95,
    note: 'as last time',
  })),
})

function page(bytes: number): string {
  const head = '<!doctype html>\n<title>A page</title>\n'
  const text = '<p>Nothing to see here but a page of so many bytes.</p>\n'.repeat(bytes)
  return (head + text).slice(0, bytes)
}

/** Looks like a bundled script, and becomes about as small. */
function script(bytes: number): string {
  let seed = 1
  const below = (limit: number): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed % limit
  }
  const name = (): string =>
    `${words[below(words.length)]}${words[below(words.length)]}${below(40).toString(36)}`
  let text = ''
  while (text.length < bytes) {
    const [a, b] = [name(), name()]
    text += `function ${name()}(${a},${b}){if(${a}.${name()}===${below(1_000)})return ${b}.${name()}(${a});const ${name()}=${a}.${name()}??"${name()}";return ${name()}(${b})}\n`
  }
  return text.slice(0, bytes)
}

const words =
  'get set find make node list item value index parent child event state props render effect queue cache path style'.split(
    ' ',
  )
