// Finds card numbers in what is typed, so that the page says so beside the field before anything is sent.
// chassis/cards/detector.py is the judge and says why; this finds what people type by the same table.
import { RANGES } from "./card-table.js";

const LEAST = 12;
const MOST = 19;
const LONGEST_TEXT = 20000;
const PRINTED = [[4, 6, 5], [4, 6, 4], [4, 5, 6], [4, 3, 3, 3]];
const TWELVE = /^(?:5018|5020|5038|5893|6304|6759|676[123])/;

const plainDigits = (text) => text.normalize("NFKC").replace(/[\p{Cf}\p{Mn}\p{Me}]/gu, "").replace(/\p{Nd}/gu, (char) => {
  let value = 0;
  for (let code = char.codePointAt(0) - 1; value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code)); code -= 1) value += 1;
  return String(value);
});

function luhnValid(digits) {
  let total = 0;
  [...digits].reverse().forEach((char, index) => {
    const digit = Number(char) * (index % 2 ? 2 : 1);
    total += digit > 9 ? digit - 9 : digit;
  });
  return total % 10 === 0;
}

function ofANetwork(digits) {
  const range = RANGES.find(([size, first, last]) => {
    const head = Number(digits.slice(0, size));
    return head >= first && head <= last;
  });
  return Boolean(range?.[4].includes(digits.length));
}

const isCard = (digits) => digits.length >= LEAST && digits.length <= MOST && (digits.length > LEAST || TWELVE.test(digits))
  && ofANetwork(digits) && luhnValid(digits);

const IBAN = /(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{2}(?: ?[0-9A-Za-z]{4}){2,7}(?: ?[0-9A-Za-z]{1,3})?(?![0-9A-Za-z])/g;
const ACCOUNT_DIGITS = {
  BE: 12, DK: 14, FI: 14, SD: 14, SI: 15, AT: 16, BA: 16, EE: 16, LT: 16, MN: 16, XK: 16, HR: 17,
  CR: 18, DE: 18, ME: 18, RS: 18, VA: 18, AE: 19, IL: 19, SO: 19, TL: 19,
};

/** Letters in place of an account's number (ISO 13616), unless its check digits are wrong or a card stands in it. */
function withoutAccounts(text) {
  return text.replace(IBAN, (found) => {
    const account = found.replaceAll(" ", "").toUpperCase();
    const own = account.slice(4);
    if (own.length !== ACCOUNT_DIGITS[account.slice(0, 2)] && /^\d+$/.test(own) && isCard(own)) return found;
    let rest = 0;
    for (const char of account.slice(4) + account.slice(0, 4)) for (const digit of String(parseInt(char, 36))) rest = (rest * 10 + Number(digit)) % 97;
    return rest === 1 ? "a".repeat(found.length) : found;
  });
}

// A separator as a URL, HTML and quoted-printable carry it.
const ENCODED = /%(?:20|2[bdef]|0[9ad]|c2%a0)|&(?:nbsp|ensp|emsp|thinsp|ndash|mdash|hyphen|shy|tab|#(?:9|32|45|160|820[1-9]|821[1-2]|8239|x20|x2d|xa0));|=(?:20|2d|c2=a0)|<\/?[a-z]{1,5} ?\/?>/gi;

const isTable = (sizes, gaps) => sizes.length > 1 && sizes.every((size) => size === 1) && gaps.some((gap) => /[,;]/.test(gap));

// Or a phone and a ZIP code.
const areTwoOfAList = (sizes, gaps) => sizes.length === 2 && (sizes[0] === sizes[1] || (sizes[0] === 10 && sizes[1] === 5)) && /[,;\t\n|()]/.test(gaps[0]);

/** Whether sizes of groups are those of a card, or of one whose groups were run together. */
function printed(sizes) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length === 1) return true;
  if (sizes.every((size) => size === 1)) return true;
  const ends = (groups) => { let end = 0; return groups.map((size) => (end += size)); };
  const own = ends(sizes);
  if (own.slice(0, -1).every((end) => end % 4 === 0)) return true;
  return PRINTED.some((groups) => groups.reduce((sum, size) => sum + size, 0) === total && groups[0] === sizes[0]
    && own.every((end) => ends(groups).includes(end)));
}

const isFraction = (text, at) => /(?:^|[^\d.])0\.$/.test(text.slice(Math.max(0, at - 4), at));

const areCents = (sizes, gaps) => sizes.at(-1) <= 2 && [".", ","].includes(gaps.at(-1)) && gaps.at(-1) !== gaps[0];

/** Whether a text holds what looks like a card number. @param {string} text */
export function looksLikeCard(text) {
  const plain = withoutAccounts(plainDigits(text.slice(0, LONGEST_TEXT).replace(ENCODED, (found) => " ".repeat(found.length))));
  const groups = [...plain.matchAll(/\d+/g)].map((found) => ({ digits: found[0], start: found.index, end: found.index + found[0].length }));
  return groups.some((group, first) => {
    // An international telephone number (E.164: 15 digits) is the server's to tell.
    const least = plain[group.start - 1] === "+" ? 16 : LEAST;
    let digits = "";
    const sizes = [];
    const gaps = [];
    for (let last = first; last < groups.length && digits.length < MOST; last += 1) {
      if (last > first) gaps.push(plain.slice(groups[last - 1].end, groups[last].start));
      if (last > first && !/^[^\p{L}\d]{1,8}$/u.test(gaps.at(-1))) break;
      digits += groups[last].digits;
      sizes.push(groups[last].digits.length);
      if (digits.length >= least && isCard(digits) && printed(sizes) && !isTable(sizes, gaps) && !(last === first && isFraction(plain, group.start)) && !areCents(sizes, gaps) && !areTwoOfAList(sizes, gaps)) return true;
    }
    return false;
  });
}
