// SPDX-License-Identifier: Apache-2.0
import type { Client } from 'pg'
import { unavailable } from '../unavailable.ts'

const CHANNEL = 'holdfast'
const RECONNECT_MS = 1_000
const BEAT_MS = 250
const PATIENCE_MS = 5_000

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

/**
 * One listening connection, replaced when it breaks; listeners are then called, since notices may have been missed. It is
 * asked four times a second whether it still listens: its answer comes after every notice of what was committed before
 * the question, and behind a network that drops packets silence looks like peace.
 */
export class PostgresForeignCommits {
  readonly #makeClient: () => Client
  readonly #own: string
  readonly #listeners = new Set<Listener>()
  #client: Client | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(makeClient: () => Client, own: string) {
    this.#makeClient = makeClient
    this.#own = own
  }

  add(committed: () => void, heardUntil: (atMs: number) => void = () => {}): () => void {
    const entry: Listener = { committed, heardUntil }
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
    this.#beatLater(client)
  }

  #beatLater(client: Client): void {
    this.#timer = setTimeout(() => void this.#beat(client), BEAT_MS).unref()
  }

  async #beat(client: Client): Promise<void> {
    const askedAt = performance.now()
    // A pooler that gives each statement another session would have forgotten LISTEN.
    const query = { text: 'select pg_listening_channels()', query_timeout: PATIENCE_MS }
    try {
      if ((await client.query(query)).rowCount === 0) throw new Error('The session listens no longer')
    } catch {
      return void client.end().catch(() => undefined) // 'end' follows
    }
    if (this.#client !== client || this.#isClosed) return
    for (const { heardUntil } of this.#listeners) heardUntil(askedAt)
    this.#beatLater(client)
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
    for (const { committed } of this.#listeners) committed()
  }
}

interface Listener {
  readonly committed: () => void
  readonly heardUntil: (atMs: number) => void
}
