// SPDX-License-Identifier: Apache-2.0
/** The description of the API (OpenAPI 3.1), made of the table of routes and the very schemas that bodies are checked by. */
import type { GenericSchema } from 'valibot'
import type { Route } from './route.ts'

/** What is read of a schema of valibot. */
interface Shape {
  readonly kind: 'schema' | 'validation' | 'transformation' | 'metadata'
  readonly type: string
  readonly entries?: Readonly<Record<string, Shape>>
  readonly wrapped?: Shape
  readonly item?: Shape
  readonly value?: Shape
  readonly options?: readonly (Shape | string)[]
  readonly literal?: unknown
  readonly pipe?: readonly Shape[]
  readonly requirement?: unknown
}

type Json = Readonly<Record<string, unknown>>

const problemAnswer = {
  description: 'A problem (RFC 9457): code, status, title, hint, and the facts of its sentence',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['code', 'status', 'title', 'hint'],
        properties: {
          code: { type: 'string' },
          status: { type: 'integer' },
          title: { type: 'string' },
          hint: { type: 'string' },
        },
      },
    },
  },
}

/** Describes routes for the registry at an address. */
export function describeApi(routes: readonly Route[], publicUrl: string): Json {
  const paths = Object.fromEntries(
    [...new Set(routes.map(({ path }) => path))].map(path => {
      const here = routes.filter(route => route.path === path)
      return [path, Object.fromEntries(here.map(each => [each.method.toLowerCase(), describeRoute(each)]))]
    }),
  )
  return {
    openapi: '3.1.0',
    info: { title: 'Holdfast', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: publicUrl }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  }
}

function describeRoute({
  path,
  does,
  who,
  body,
  query = {},
  status,
  type = 'application/json',
}: Route): Json {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true }))
  const inQuery = Object.entries(query).map(([name, description]) => ({ name, in: 'query', description }))
  const parameters = [...inPath, ...inQuery].map(each => ({ ...each, schema: { type: 'string' } }))
  const content = body && { 'application/json': { schema: describeSchema(body) } }
  return {
    summary: does,
    security: who === 'anybody' ? [{}, { token: [] }] : [{ token: [] }],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(content ? { requestBody: { required: true, content } } : {}),
    responses: { [status]: { description: 'Done', content: { [type]: {} } }, default: problemAnswer },
  }
}

/** A schema of valibot in JSON Schema. Throws for a kind that no route uses yet. */
export function describeSchema(schema: GenericSchema): Json {
  return describe(schema as unknown as Shape)
}

function describe(shape: Shape): Json {
  const { type, entries = {}, wrapped, item, value, options = [] } = shape
  const limits = Object.assign({}, ...(shape.pipe ?? []).map(limitOf))
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type, ...limits }
    case 'unknown':
      return {}
    case 'literal':
      return { const: shape.literal }
    case 'picklist':
      return { enum: options }
    case 'optional':
      return describe(must(wrapped))
    case 'array':
      return { type, items: describe(must(item)), ...itemLimits(limits) }
    case 'record':
      return { type: 'object', additionalProperties: describe(must(value)) }
    case 'variant':
      return { oneOf: options.map(each => describe(each as Shape)) }
    case 'object':
      return {
        type,
        required: Object.keys(entries).filter(name => entries[name]?.type !== 'optional'),
        properties: Object.fromEntries(Object.entries(entries).map(([name, of]) => [name, describe(of)])),
      }
    default:
      throw new Error(`a schema of kind ${type} has no description yet`)
  }
}

function limitOf({ kind, type, requirement }: Shape): Json {
  if (kind !== 'validation') return {}
  if (type === 'max_length') return { maxLength: requirement }
  if (type === 'min_length') return { minLength: requirement }
  return requirement instanceof RegExp ? { pattern: requirement.source } : {}
}

/** Arrays have the same limits under other words. */
function itemLimits({ minLength, maxLength }: Json): Json {
  return {
    ...(minLength === undefined ? {} : { minItems: minLength }),
    ...(maxLength === undefined ? {} : { maxItems: maxLength }),
  }
}

function must(shape: Shape | undefined): Shape {
  if (shape === undefined) throw new Error('a schema has no inside')
  return shape
}
