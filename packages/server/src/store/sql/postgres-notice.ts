// SPDX-License-Identifier: Apache-2.0
import type { Client } from 'pg'
import { unavailable } from '../unavailable.ts'

const CHANNEL = 'holdfast'
const RECONNECT_MS = 1_000
const PROBE_MS = 10_000

/** Listens for commits of others; `makeClient` gives a fresh connection, `own` is the payload to pass over. */
export async function openForeignCommits(
  makeClient: () => Client,
  own: string,
): Promise<PostgresForeignCommits> {
  const commits = new PostgresForeignCommits(makeClient, own)
  try {
    await commits.connect()
  } catch (error) {
    throw unavailable('the database does not answer', error)
  }
  return commits
}

/** One listening connection, replaced when it breaks; listeners are then called, since notices may have been missed. */
export class PostgresForeignCommits {
  readonly #makeClient: () => Client
  readonly #own: string
  readonly #listeners = new Set<() => void>()
  #client: Client | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(makeClient: () => Client, own: string) {
    this.#makeClient = makeClient
    this.#own = own
  }

  add(listener: () => void): () => void {
    const entry = () => listener()
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  async connect(): Promise<void> {
    const client = this.#makeClient()
    client.on('error', () => undefined) // 'end' follows
    client.on('notification', ({ payload }) => {
      if (payload !== this.#own) this.#tell()
    })
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
    } catch (error) {
      client.end().catch(() => undefined)
      throw error
    }
    this.#keep(client)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#client?.end()
  }

  #keep(client: Client): void {
    if (this.#isClosed) return void client.end().catch(() => undefined)
    client.once('end', () => this.#reconnectLater())
    this.#client = client
    // Behind a firewall that dropped the connection, silence looks like peace.
    this.#timer = setInterval(() => void this.#probe(client), PROBE_MS).unref()
  }

  async #probe(client: Client): Promise<void> {
    const query = { text: 'select 1', query_timeout: PROBE_MS / 2 }
    await client.query(query).catch(() => client.end().catch(() => undefined))
  }

  #reconnectLater(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#reconnect(), RECONNECT_MS).unref()
  }

  async #reconnect(): Promise<void> {
    try {
      await this.connect()
      this.#tell()
    } catch {
      this.#reconnectLater()
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
