import { PathError } from 'rawhttp'
import { describe, expect, test } from 'vitest'
import { hostnameOf, originForm } from '../../core/target.ts'

describe('the path and query of a target', () => {
  test.each([
    ['/a?b', 'GET', '/a?b'],
    ['/', 'GET', '/'],
    ['//a', 'GET', '//a'],
    ['http://h/a?b', 'GET', '/a?b'],
    ['HTTPS://h:8080/a', 'GET', '/a'],
    ['http://h', 'GET', '/'],
    ['http://h?b', 'GET', '/?b'],
    ['http://h/?b', 'GET', '/?b'],
    ['*', 'OPTIONS', '*'],
    ['http://h', 'OPTIONS', '*'],
    ['http://h/', 'OPTIONS', '/'],
  ])('of %s for %s', (target, method, expected) => {
    expect(originForm(target, method)).toBe(expected)
  })

  test.each([
    ['a', 'GET'],
    ['', 'GET'],
    ['*', 'GET'],
    ['?a', 'GET'],
    ['h:80', 'GET'],
    ['ftp://h/a', 'GET'],
    ['x/http://h/admin', 'GET'],
  ])('of %j for %s is none', (target, method) => {
    expect(() => originForm(target, method)).toThrow(PathError)
    expect(() => originForm(target, method)).toThrow('H1-TARGET-FORM')
  })
})

test.each([
  ['a.example', 'a.example'],
  ['A.Example:8080', 'a.example'],
  ['a.example.', 'a.example'],
  ['a.example.:80', 'a.example'],
  ['[::1]', '[::1]'],
  ['[2001:DB8::1]:443', '[2001:db8::1]'],
  ['[0:0::0:1]:80', '[::1]'],
  ['[::FFFF:127.0.0.1]', '[::ffff:7f00:1]'],
  ['[no address]:80', '[no address]'],
  ['127.0.0.1:80', '127.0.0.1'],
  ['', ''],
])('the hostname of %j is %j', (host, expected) => {
  expect(hostnameOf(host)).toBe(expected)
})
