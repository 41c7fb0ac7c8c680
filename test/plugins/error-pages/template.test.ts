import fc from 'fast-check'
import { escapeHtml } from 'rawhttp'
import { expect, test } from 'vitest'
import { compilePage } from '../../../plugins/error-pages/template.ts'

/** A page of this source, filled in. */
const filled = (html: string, status: number, detail: string | null, requestId?: string) =>
  compilePage(html)({ status, detail, requestId })

test('fills in status, reason, detail and request id, each wherever it stands', () => {
  const html =
    '<title>{{status}} {{reason}}</title><h1>{{ status }}</h1><p>{{detail}}</p><i>{{requestId}}</i>'
  expect(filled(html, 404, 'no such page', '<7>')).toBe(
    '<title>404 Not Found</title><h1>404</h1><p>no such page</p><i>&lt;7&gt;</i>',
  )
})

test('without a detail or a request id its place is empty', () => {
  expect(filled('<p>{{detail}}</p>{{requestId}}', 500, null)).toBe('<p></p>')
})

test('a status without a registered reason is named by its number', () => {
  expect(filled('{{reason}}', 499, null)).toBe('Status 499')
})

test('leaves other braces alone', () => {
  const html = '<b>{{user}}</b> { {status} } {{Status}} {{}} {{status'
  expect(filled(html, 404, 'x')).toBe(html)
})

test('what is filled in is never filled in again', () => {
  expect(filled('{{detail}}', 404, '{{status}} $& $1 {{detail}}')).toBe('{{status}} $&amp; $1 {{detail}}')
})

test('escapes what could end a text or an attribute', () => {
  const html = '<p title="{{detail}}">{{detail}}</p>'
  expect(filled(html, 400, `"><script>alert('1')</script>&\``)).toBe(
    `<p title="&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&#96;">` +
      `&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&#96;</p>`,
  )
})

test('no text comes out with a character that HTML reads, and none is lost', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", '`', ';', '#', 'a', 'ä', ' ') }),
      text => {
        const escaped = escapeHtml(text)
        expect(escaped).not.toMatch(/[<>"'`]|&(?!(?:amp|lt|gt|quot|#39|#96);)/)
        const back = escaped
          .replace(
            /&(lt|gt|quot|#39|#96);/g,
            (_all, name: string) => ({ lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' })[name]!,
          )
          .replaceAll('&amp;', '&')
        expect(back).toBe(text)
      },
    ),
  )
})
