// The invitation's token stands after #, so that it appears in no log; here it moves into the form and out of the address.
const field = document.querySelector("input[name=token]");
if (field && location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
