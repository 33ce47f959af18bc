// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from 'node:net'

/** Everything the server says on a connection until it closes it, after these bytes were sent. */
export function exchange(url: string, ...pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = dial(url)
  const heard = listenTo(socket)
  for (const piece of pieces) socket.write(piece)
  return heard
}

/** A bare connection; errors are as good as its end. */
export function dial(url: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  return socket
}

/** What comes until the connection is closed. */
export function listenTo(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', piece => {
    text += piece.toString('latin1')
  })
  return new Promise(resolve => {
    socket.on('close', () => resolve(text))
  })
}
