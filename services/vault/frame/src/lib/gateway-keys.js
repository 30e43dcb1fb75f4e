// What keys of payment gateways look like: beside the field before anything is sent. The vault decides
// (services/vault/charging/gateways/*/kind.py).

const STRIPE_KEY = /^(sk|rk)_(live|test)_[A-Za-z0-9]{8,240}$/;
const STRIPE_PUBLISHABLE = /^pk_(live|test)_/;
const STRIPE_SIGNING = /^whsec_[A-Za-z0-9+/=_-]{8,240}$/;
const LOGIN = /^[A-Za-z0-9_-]{6,25}$/;
const TRANSACTION_KEY = /^[A-Za-z0-9_-]{8,40}$/;

/** @param {string} key */
function stripeKeyProblem(key) {
  if (!key) return "Enter the secret key.";
  if (STRIPE_PUBLISHABLE.test(key)) return "That is the publishable key, which can't charge. Enter the secret key: it begins with sk_ or rk_.";
  if (STRIPE_SIGNING.test(key)) return "That is the signing secret. The secret key begins with sk_ or rk_.";
  return STRIPE_KEY.test(key) ? "" : "A secret key begins with sk_test_, sk_live_, rk_test_ or rk_live_, and has no spaces. Copy it whole.";
}

/** @param {string} secret */
function stripeSigningProblem(secret) {
  return !secret || STRIPE_SIGNING.test(secret) ? "" : "A signing secret begins with whsec_. Copy it whole, or leave this empty.";
}

/** "live", "test", or "" while the fields don't tell. @typedef {Record<string, string>} Typed */
export const GATEWAYS = {
  stripe: {
    problems: { key: ({ key }) => stripeKeyProblem(key), signing_secret: ({ signing_secret: secret }) => stripeSigningProblem(secret) },
    mode: ({ key }) => /^(?:sk|rk)_(live|test)_/.exec(key)?.[1] ?? "",
  },
  authorizenet: {
    problems: {
      mode: ({ mode }) => (mode ? "" : "Say whether this account is live or in the sandbox: its keys don't tell."),
      login: ({ login }) => (LOGIN.test(login) ? "" : "An API login ID has 6 to 25 letters and digits."),
      key: ({ key }) => (TRANSACTION_KEY.test(key) ? "" : "A transaction key has 8 to 40 letters and digits, usually 16."),
    },
    mode: ({ mode }) => mode,
  },
};
