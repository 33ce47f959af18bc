// SPDX-License-Identifier: Apache-2.0

/** The two primitives that all proofs rest on. A caller may give faster ones than the browser's. */
export interface LogCrypto {
  sha256(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Both keys and signatures are raw bytes; whatever is malformed does not verify. */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | Promise<boolean>
}

/** The primitives as every browser and Node have them. */
export const webCrypto: LogCrypto = {
  sha256: async bytes =>
    new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', new Uint8Array(bytes))),
  verifyEd25519: async (publicKey, message, signature) => {
    const { subtle } = globalThis.crypto
    const key = await subtle
      .importKey('raw', new Uint8Array(publicKey), 'Ed25519', false, ['verify'])
      .catch(() => undefined)
    if (key === undefined) return false
    return subtle.verify('Ed25519', key, new Uint8Array(signature), new Uint8Array(message))
  },
}
