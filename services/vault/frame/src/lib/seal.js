// The sealed protocol's browser side (docs/design.md): JWE, ECDH-ES on P-256 with A256GCM, fixed, nothing negotiated.
import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK } from "jose";

const ALG = "ECDH-ES";
const ENC = "A256GCM";

/** Reads the vault's public sealing key, which the server rendered into the page. */
async function vaultKey() {
  const jwk = JSON.parse(document.querySelector("meta[name=wv-sealing-key]").content);
  return { kid: jwk.kid, key: await importJWK({ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, ALG) };
}

/** Whether the server could render a sealing key. */
export const canSeal = () => Boolean(document.querySelector("meta[name=wv-sealing-key]"));

/**
 * Seals a message to the vault.
 * @param {object} payload @param {string} typ what it is, so that one message can't stand in for another
 */
export async function seal(payload, typ) {
  const { kid, key } = await vaultKey();
  return new CompactEncrypt(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: ALG, enc: ENC, kid, typ })
    .encrypt(key);
}

/** A key pair for one answer; the private half can't leave this page. */
export async function newReplyKey() {
  const { publicKey, privateKey } = await generateKeyPair(ALG, { crv: "P-256", extractable: false });
  const { kty, crv, x, y } = await exportJWK(publicKey);
  return { privateKey, publicJwk: { kty, crv, x, y } };
}

/** @param {string} jwe @param {CryptoKey} privateKey @param {string} typ */
export async function openAnswer(jwe, privateKey, typ) {
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, privateKey, {
    keyManagementAlgorithms: [ALG],
    contentEncryptionAlgorithms: [ENC],
  });
  if (protectedHeader.typ !== typ) throw new Error("answer of another type");
  return JSON.parse(new TextDecoder().decode(plaintext));
}
