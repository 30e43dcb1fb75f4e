// The invitation's token stands after #, so that it appears in no log; here it moves into the form and out of the address.
import { isLinkToken, linkToken } from "/static/chassis/link-token.js";

const field = document.querySelector("input[name=token]");
if (field && location.hash.length > 1) {
  field.value = linkToken();
  history.replaceState(null, "", location.pathname);
}
if (field && !isLinkToken(field.value)) document.getElementById("link-incomplete").hidden = false;
