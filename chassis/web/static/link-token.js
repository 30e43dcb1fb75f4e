// The token of a one-time link, out of what mail programs and gateways made of the part after "#".
// chassis/web/link_repair.py does the same for the server.

const decoded = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
const referred = (code) => (code <= 0x10ffff ? String.fromCodePoint(code) : "");

/** Whether a text is a whole token. @param {string} text */
export const isLinkToken = (text) => /^[A-Za-z0-9_-]{43}$/.test(text);

/** @param {string} [hash] the 43 letters of a token; the text as it came where there are none; "" without any */
export function linkToken(hash = window.location.hash) {
  const raw = hash.replace(/^#/, "");
  // A soft line end may stand in the middle of an encoded letter.
  let plain = raw.slice(0, 2000).replace(/=\r?\n/g, "");
  for (let time = 0; time < 3; time += 1) plain = decoded(plain);
  plain = plain.replaceAll("\\", "")
    .replace(/&#(?:x([0-9a-f]{1,5})|([0-9]{1,6}));/gi, (_, hex, decimal) => referred(hex ? parseInt(hex, 16) : Number(decimal)))
    .replace(/=(2D|5F|0D|0A)/gi, (_, hex) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/=?[\r\n]+(?:[> ]{0,8}>)?|\s|<\/?w?br ?\/?>|&(?:shy|ZeroWidthSpace);|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/gi, "")
    .replace(/[\u2010-\u2013\u2212\ufe63\uff0d]/g, "-");
  // Of whatever else is as long, as a tracker's own token, the one that stands alone is ours.
  const found = /(?<![A-Za-z0-9_-])(__?)([A-Za-z0-9_-]{43})\1(?![A-Za-z0-9_;-])/.exec(plain)
    ?? /(?<![A-Za-z0-9_-])(?:3D)?([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])/.exec(plain)
    ?? /([A-Za-z0-9_-]{43})/.exec(plain);
  return found?.at(-1) ?? raw.slice(0, 100);
}
