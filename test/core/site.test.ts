import { describe, expect, test } from 'vitest'
import { Deadlines } from '../../core/deadlines.ts'
import { defaultExchangeLimits } from '../../core/limits.ts'
import { Site, SiteTable } from '../../core/site.ts'

const site = (name: string, ...hosts: string[]) =>
  new Site({ name, hosts, dir: '/' }, defaultExchangeLimits, {
    report: () => undefined,
    deadlines: new Deadlines(1_000),
  })

describe('the site of a host', () => {
  const table = new SiteTable([
    site('exact', 'a.example', '[::1]'),
    site('near', '*.a.example'),
    site('far', '*.example', 'b.a.example'),
  ])

  test.each([
    ['a.example', 'exact'],
    ['[::1]', 'exact'],
    ['x.a.example', 'near'],
    ['x.y.a.example', 'near'],
    ['b.a.example', 'far'],
    ['x.example', 'far'],
    ['a.b.c.example', 'far'],
    ['example', undefined],
    ['other', undefined],
    ['', undefined],
    ['xa.examplex', undefined],
    ['.example', undefined],
    ['.a.example', 'far'],
    ['a.', undefined],
  ])('%s: an exact name, then the longest wildcard', (host, name) => {
    expect(table.find(host)?.name).toBe(name)
  })

  test('is the site for every host when no other takes it', () => {
    const sites = [site('all', '*'), site('a', 'a.example')]
    expect(new SiteTable(sites).find('other')?.name).toBe('all')
    expect(new SiteTable(sites).find('a.example')?.name).toBe('a')
  })

  test('need not be looked for when there is only one answer', () => {
    expect(new SiteTable([site('all', '*')]).only?.name).toBe('all')
    expect(new SiteTable([site('a', 'a.example')]).only).toBeNull()
    expect(new SiteTable([site('all', '*'), site('a', 'a.example')]).only).toBeNull()
    expect(new SiteTable([site('all', '*', '*.example')]).only).toBeNull()
    expect(new SiteTable([]).only).toBeNull()
  })
})
