// SPDX-License-Identifier: Apache-2.0
/** A zip file as it is made: entries come and go one at a time, compressed beside the loop; more than 65,535 of them (zip64). */
import { promisify } from 'node:util'
import { crc32, deflateRaw } from 'node:zlib'

const deflate = promisify(deflateRaw)
const pieceBytes = 256 * 1024
/** 1 January 1980: what a zip says of times is nothing that anybody reads here, and the same bytes come out each time. */
const dosDate = 0x21

/** Pieces of a zip file of these texts. */
export async function* writeZip(
  entries: AsyncIterable<{ readonly name: string; readonly text: string }>,
): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = []
  let offset = 0
  let waiting: Buffer[] = []
  let size = 0
  for await (const { name, text } of entries) {
    const entry = await writeEntry(name, text, offset)
    directory.push(entry.listed)
    waiting.push(...entry.pieces)
    const bytes = entry.pieces.reduce((sum, piece) => sum + piece.length, 0)
    offset += bytes
    size += bytes
    if (offset > 0xffff_0000) throw new Error('the advisories do not fit into a zip of 4 GB')
    if (size < pieceBytes) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
  }
  yield Buffer.concat([...waiting, ...directory, writeEnd(directory, offset)])
}

async function writeEntry(
  name: string,
  text: string,
  offset: number,
): Promise<{ readonly pieces: readonly Buffer[]; readonly listed: Buffer }> {
  const plain = Buffer.from(text)
  const packed = await deflate(plain)
  const path = Buffer.from(name)
  const about = Buffer.alloc(26)
  about.writeUInt16LE(20, 0) // version needed
  about.writeUInt16LE(0x800, 2) // names are UTF-8
  about.writeUInt16LE(8, 4) // deflate
  about.writeUInt16LE(dosDate, 8)
  about.writeUInt32LE(crc32(plain), 10)
  about.writeUInt32LE(packed.length, 14)
  about.writeUInt32LE(plain.length, 18)
  about.writeUInt16LE(path.length, 22)
  const listed = Buffer.alloc(14)
  listed.writeUInt32LE(offset, 10)
  return {
    pieces: [Buffer.from('PK\x03\x04'), about, path, packed],
    listed: Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), about, listed, path]),
  }
}

/** With zip64's own end before it, since the old one counts no further than 65,535. */
function writeEnd(directory: readonly Buffer[], offset: number): Buffer {
  const size = directory.reduce((sum, each) => sum + each.length, 0)
  const end64 = Buffer.alloc(56)
  end64.write('PK\x06\x06', 'latin1')
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE(45, 12)
  end64.writeUInt16LE(45, 14)
  end64.writeBigUInt64LE(BigInt(directory.length), 24)
  end64.writeBigUInt64LE(BigInt(directory.length), 32)
  end64.writeBigUInt64LE(BigInt(size), 40)
  end64.writeBigUInt64LE(BigInt(offset), 48)
  const locator = Buffer.alloc(20)
  locator.write('PK\x06\x07', 'latin1')
  locator.writeBigUInt64LE(BigInt(offset + size), 8)
  locator.writeUInt32LE(1, 16)
  const end = Buffer.alloc(22)
  const count = Math.min(directory.length, 0xffff)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat(directory.length > 0xfffe ? [end64, locator, end] : [end])
}
