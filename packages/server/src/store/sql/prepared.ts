// SPDX-License-Identifier: Apache-2.0
import type { Compilable, CompiledQuery, Kysely, QueryResult } from 'kysely'
import type { Schema } from './schema.ts'

/** Stands in a statement where a value comes with each call. */
class Place {
  readonly at: number

  constructor(at: number) {
    this.at = at
  }
}

/**
 * A statement that requests ask many times: its text is made once for each connection, which takes longer than SQLite takes to
 * answer. `build` gets a stand-in for each value, good for nothing but to be a parameter.
 */
export function prepare<Values extends readonly (string | number)[], Row>(
  build: (db: Kysely<Schema>, ...values: Values) => Compilable<Row>,
): (db: Kysely<Schema>, ...values: Values) => Promise<QueryResult<Row>> {
  const made = new WeakMap<object, CompiledQuery<Row>>()
  const places = Array.from({ length: build.length - 1 }, (_, at) => new Place(at))
  const compile = (db: Kysely<Schema>) => build(db, ...(places as readonly unknown[] as Values)).compile()
  return (db, ...values) => {
    const { adapter } = db.getExecutor()
    const query = made.get(adapter) ?? compile(db)
    made.set(adapter, query)
    const parameters = query.parameters.map(each => (each instanceof Place ? values[each.at] : each))
    return db.executeQuery({ ...query, parameters })
  }
}
